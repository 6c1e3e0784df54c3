"""The front before the local API passes answers on as the deployed route says, no otherwise."""

import asyncio
import copy
import threading
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from local.front import Front
from local.routes import adapted, routes
from tests.serving import serving
from tests.synth import template

STREAM = {"model": "fast", "stream": True}


def resources() -> dict[str, Any]:
    """Of the deployed template."""
    return dict(template("local", "ServerlessStack").body["Resources"])


class Service:
    """A web service that writes half an answer, and the rest when it is told to."""

    def __init__(self) -> None:
        self.go_on, self.ended = threading.Event(), threading.Event()
        self.headers: dict[str, str] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        self.headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"first ", "more_body": True})
        await asyncio.to_thread(self.go_on.wait, 10)
        await send({"type": "http.response.body", "body": b"second"})
        self.ended.set()


@pytest.fixture
def service() -> Iterator[Service]:
    one = Service()
    yield one
    one.go_on.set()


def front(resources: dict[str, Any], service_url: str) -> Front:
    (function,) = adapted(resources)
    return Front(
        stage="local",
        routes=routes(resources),
        services={function: service_url},
        emulator="http://127.0.0.1:1",
    )


def buffered(resources: dict[str, Any]) -> dict[str, Any]:
    """The same template with the streaming route deployed as API Gateway's default."""
    changed = copy.deepcopy(resources)
    for one in changed.values():
        if one["Type"] == "AWS::ApiGateway::Method":
            one["Properties"]["Integration"].pop("ResponseTransferMode", None)
    return changed


def test_a_streamed_route_passes_each_part_on_as_it_is_written(service: Service) -> None:
    with serving(service) as url, serving(front(resources(), url).app()) as here:
        asking = httpx2.stream("POST", f"{here}/local/v1/messages", json=STREAM, timeout=10)
        with asking as answer:
            parts = answer.iter_raw()
            assert next(parts) == b"first "
            service.go_on.set()
            assert b"".join(parts) == b"second"


def test_a_route_that_was_deployed_as_buffered_shows_nothing_before_the_end(
    service: Service,
) -> None:
    with serving(service) as url, serving(front(buffered(resources()), url).app()) as here:
        with (
            pytest.raises(httpx2.ReadTimeout),
            httpx2.stream("POST", f"{here}/local/v1/messages", json=STREAM, timeout=0.5),
        ):
            pass
        service.go_on.set()
        answer = httpx2.post(f"{here}/local/v1/messages", json=STREAM, timeout=10)
        assert answer.content == b"first second"


def test_a_function_is_not_told_that_its_caller_left_as_on_lambda(service: Service) -> None:
    with serving(service) as url, serving(front(resources(), url).app()) as here:
        asking = httpx2.stream("POST", f"{here}/local/v1/messages", json=STREAM, timeout=10)
        with asking as answer:
            assert next(answer.iter_raw()) == b"first "
        service.go_on.set()
        assert service.ended.wait(10)


def test_the_service_sees_what_the_adapter_adds_whatever_the_caller_sent(service: Service) -> None:
    service.go_on.set()
    forged = {"x-amzn-request-context": '{"requestId": "forged"}', "x-other": "kept"}
    with serving(service) as url, serving(front(resources(), url).app()) as here:
        httpx2.post(f"{here}/local/v1/messages", json=STREAM, headers=forged, timeout=10)
    assert "forged" not in service.headers["x-amzn-request-context"]
    assert service.headers["x-amzn-trace-id"].startswith("Root=1-")
    assert service.headers["x-other"] == "kept"


def test_what_no_service_answers_goes_to_the_emulator_and_its_absence_is_said(
    service: Service,
) -> None:
    with serving(service) as url, serving(front(resources(), url).app()) as here:
        answer = httpx2.get(f"{here}/local/health", timeout=10)
    assert (answer.status_code, answer.json()["error"]["type"]) == (502, "api_error")
    assert answer.json()["request_id"] == answer.headers["request-id"]
