"""AWS is asked with the role's credentials, within 2.5 s, and never more than twice."""

import asyncio
import datetime as dt
import socket
import time
from collections.abc import Callable

import httpx2
import pytest

from claude_core import aws as module
from claude_core.aws import Aws, AwsRefused
from claude_core.aws_shapes import Answer
from claude_core.connections import AwsHttp
from claude_core.errors import AwsUnreachable
from claude_core.settings import Runtime

HERE = Runtime(region="eu-west-1", access_key_id="AKID", secret_access_key="secret")
CONTAINER = Runtime(
    region="eu-west-1",
    credentials_url="http://127.0.0.1:9001/role",
    credentials_token="the-token",  # pragma: allowlist secret
)
Handler = Callable[[httpx2.Request], httpx2.Response]


class Handled(AwsHttp):
    """Whatever is sent is answered by a function."""

    def __init__(self, handler: Handler) -> None:
        super().__init__()
        self._handler = handler

    async def send(
        self, method: str, url: str, headers: dict[str, str], body: bytes, *, read_s: float
    ) -> Answer:
        answer = self._handler(httpx2.Request(method, url, headers=headers, content=body))
        return Answer(answer.status_code, answer.headers, answer.content)


def call(handler: Handler, runtime: Runtime = HERE, times: int = 1) -> list[dict[str, object]]:
    async def inner() -> list[dict[str, object]]:
        async with Handled(handler) as http:
            aws = Aws(http, runtime)
            return [await aws.call("dynamodb", "D.UpdateItem", {"a": 1}) for _ in range(times)]

    return asyncio.run(inner())


def test_a_call_goes_to_the_regions_endpoint_signed() -> None:
    def handler(request: httpx2.Request) -> httpx2.Response:
        assert str(request.url) == "https://dynamodb.eu-west-1.amazonaws.com/"
        assert request.headers["x-amz-target"] == "D.UpdateItem"
        assert "Credential=AKID/" in request.headers["authorization"]
        return httpx2.Response(200, json={"ok": True})

    assert call(handler) == [{"ok": True}]


def container(expires_in_s: float, asked: list[str]) -> Handler:
    """A role's credentials endpoint and DynamoDB behind one transport."""
    expires = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=expires_in_s)

    def handler(request: httpx2.Request) -> httpx2.Response:
        if request.url.port == 9001:
            asked.append(request.headers["authorization"])
            found = {
                "AccessKeyId": f"ASIA{len(asked)}",
                "SecretAccessKey": "s",
                "Token": "session",
                "Expiration": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
            }
            return httpx2.Response(200, json=found)
        assert request.headers["x-amz-security-token"] == "session"
        return httpx2.Response(200, json={"by": request.headers["authorization"][29:50]})

    return handler


def test_under_snapstart_and_on_fargate_credentials_come_from_the_container_and_are_kept() -> None:
    asked: list[str] = []
    call(container(3_600, asked), CONTAINER, times=3)
    assert asked == ["the-token"]


def test_credentials_are_renewed_before_they_end() -> None:
    asked: list[str] = []
    call(container(240, asked), CONTAINER, times=2)
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("env", "url"),
    [
        (
            {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9001/x"},
            "http://127.0.0.1:9001/x",
        ),
        ({"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/x"}, "http://169.254.170.2/v2/x"),
        ({}, None),
    ],
)
def test_the_place_of_the_credentials_is_what_aws_says(
    env: dict[str, str], url: str | None
) -> None:
    assert Runtime.from_env({"AWS_REGION": "eu-west-1", **env}).credentials_url == url


def test_an_error_of_ours_is_not_repeated() -> None:
    calls: list[int] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        calls.append(1)
        return httpx2.Response(400, json={"__type": "x#ValidationException", "message": "no"})

    with pytest.raises(AwsRefused, match="ValidationException: no"):
        call(handler)
    assert len(calls) == 1


@pytest.mark.parametrize(
    "answer",
    [
        httpx2.Response(500, json={"__type": "InternalServerError"}),
        httpx2.Response(503, text="<html>busy</html>"),
        httpx2.Response(400, json={"__type": "a#ThrottlingException"}),
        httpx2.Response(400, json={"__type": "a#TransactionConflictException"}),
        httpx2.ConnectError("refused"),
        httpx2.ReadError("reset"),
    ],
)
def test_trouble_is_met_with_a_second_attempt_and_then_a_503(
    answer: httpx2.Response | Exception,
) -> None:
    calls: list[int] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        calls.append(1)
        if isinstance(answer, Exception):
            raise answer
        return answer

    with pytest.raises(AwsUnreachable) as failed:
        call(handler)
    assert (failed.value.status, len(calls)) == (503, 2)


def test_all_attempts_together_have_one_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CALL_TIMEOUT_S", 0.2)

    async def inner(port: int) -> None:
        at = Runtime(region="eu-west-1", endpoint_url=f"http://127.0.0.1:{port}")
        async with AwsHttp() as http:
            with pytest.raises(AwsUnreachable):
                await Aws(http, at).call("dynamodb", "D.GetItem", {})

    began = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as silent:  # connects, and never answers
        asyncio.run(inner(silent.getsockname()[1]))
    assert time.monotonic() - began < 1
