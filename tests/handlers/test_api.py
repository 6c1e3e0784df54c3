"""The serverless handler, event to answer, against moto and the fake Claude."""

import asyncio
import base64
import json
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from claude_core.http_routes import Backend, http_route
from claude_core.openapi import document
from claude_core.settings import Settings
from claude_core.wire import MAX_BODY_BYTES
from lambda_src.api import ROUTES, Api
from local.fake_claude.inprocess import Fake
from tests.described import assert_described
from tests.doubles import CLAUDE_KEY, AwsDouble
from tests.events import BAD_BODIES, event, parsed

HELLO = [{"role": "user", "content": "hello"}]
ASKING = ("POST /prompt", "POST /v1/messages/count_tokens")


class Served:
    """One process of the function: settings fixed, events in, answers out."""

    def __init__(self, aws: AwsDouble, claude: Fake, key: str | None = CLAUDE_KEY) -> None:
        self.aws, self.claude = aws, claude
        self.settings: Settings = aws.settings(claude.url, key)
        self.key, self.client = aws.add_client()
        self._runner = asyncio.Runner()
        self._api: Api | None = None
        aws.calls.clear()

    def __call__(self, *args: Any, **headers: Any) -> tuple[int, dict[str, Any]]:
        """`served(route, body)`: status and parsed body, with the client's key."""
        return parsed(self.raw(event(*args, **{"key": self.key, **headers})))

    def raw(self, sent: dict[str, Any]) -> dict[str, Any]:
        return self._runner.run(self._handle(sent))

    async def _handle(self, sent: dict[str, Any]) -> dict[str, Any]:
        self._api = self._api or Api(self.settings, self.aws.runtime)
        return await self._api.handle(sent)

    def close(self) -> None:
        if self._api:
            self._runner.run(self._api.close())
        self._runner.close()

    def asked(self) -> int:
        """Calls that Claude has seen."""
        return sum(route["total"] for route in self.claude.stats()["calls"].values())


@pytest.fixture
def served(aws: AwsDouble, claude: Fake) -> Iterator[Served]:
    with closing(Served(aws, claude)) as one:
        yield one


def test_a_prompt_gets_text_tokens_and_what_it_cost(served: Served) -> None:
    status, body = served("POST /prompt", {"prompt": "hello"})
    assert status == 200
    assert body["text"]
    assert body["model"] == "claude-haiku-5-5"
    usage = body["usage"]
    assert body["tokens"] == usage["input_tokens"] + usage["output_tokens"]
    nano = usage["input_tokens"] * 100 + usage["output_tokens"] * 500
    assert body["cost_usd"] == pytest.approx(nano / 1e9)


def test_the_budget_is_charged_with_what_was_used_and_nothing_stays_open(served: Served) -> None:
    _, body = served("POST /prompt", {"prompt": "hello"})
    row = served.aws.row(served.client)
    (left,) = [int(value) for name, value in row.items() if name.startswith("left_")]
    assert left == 10**9 - round(body["cost_usd"] * 1e9)
    assert row["open"] == {}


def test_a_call_takes_two_writes_and_reads_the_secret_once(served: Served) -> None:
    for _ in range(3):
        served("POST /prompt", {"prompt": "hello"})
    assert served.aws.count("dynamodb:UpdateItem") == 6
    assert served.aws.count("secretsmanager:GetSecretValue") == 1


def test_the_models_are_those_that_the_client_may_use(served: Served) -> None:
    status, body = served("GET /v1/models")
    assert status == 200
    assert [model["id"] for model in body["data"]] == ["claude-haiku-5-5", "claude-sonnet-5-5"]
    assert served.asked() == 0


def test_counting_costs_nothing(served: Served) -> None:
    status, body = served("POST /v1/messages/count_tokens", {"model": "fast", "messages": HELLO})
    assert (status, body["input_tokens"] > 0) == (200, True)
    assert not any(name.startswith("spend_") for name in served.aws.row(served.client))


@pytest.mark.parametrize("route", ["GET /health", "GET /openapi.json"])
def test_open_routes_need_no_key_no_table_and_no_claude(served: Served, route: str) -> None:
    served.aws.broken = lambda action: (500, {})
    status, _ = served(route, key=None)
    assert (status, served.asked()) == (200, 0)


ASKED: dict[str, Any] = {
    "POST /prompt": {"prompt": "hello"},
    "POST /v1/messages/count_tokens": {"model": "fast", "messages": HELLO},
}


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("key", [True, False])
def test_answer_of_each_route_has_the_headers_and_the_schema_described(
    served: Served, route: str, key: bool
) -> None:
    sent = event(route, ASKED.get(route), key=served.key if key else None)
    answer = served.raw(sent)
    status, headers = answer["statusCode"], answer["headers"]
    assert status == (200 if key or not http_route(route).key else 401)
    described = document(Backend.API, Backend.STREAM)
    assert_described(described, route, status, headers, answer["body"])
    assert ("anthropic-ratelimit-requests-limit" in headers) is (key and http_route(route).key)


@pytest.mark.parametrize("body", BAD_BODIES, ids=lambda body: repr(body)[:30])
@pytest.mark.parametrize("route", ASKING)
def test_bad_input_is_a_400_that_asks_neither_claude_nor_the_table(
    served: Served, route: str, body: Any
) -> None:
    status, answer = served(route, body)
    assert status == 400, answer
    assert answer["error"]["type"] == "invalid_request_error"
    assert answer["request_id"]
    assert served.asked() == 0
    assert served.aws.calls == []


def test_a_body_above_the_limit_is_a_413_before_it_is_parsed(served: Served) -> None:
    status, answer = served("POST /prompt", "x" * (MAX_BODY_BYTES + 1))
    assert (status, answer["error"]["type"]) == (413, "request_too_large")


def test_a_body_in_base64_is_the_same_body(served: Served) -> None:
    sent = event("POST /prompt", key=served.key)
    sent |= {"body": base64.b64encode(b'{"prompt": "hi"}').decode(), "isBase64Encoded": True}
    assert parsed(served.raw(sent))[0] == 200
    assert parsed(served.raw(sent | {"body": "%%%"}))[0] == 400


@pytest.mark.parametrize("route", [*ASKING, "GET /v1/models"])
@pytest.mark.parametrize("key", [None, "", "wrong", "ck_" + "x" * 43])
def test_without_a_good_key_it_is_a_401_and_claude_is_not_asked(
    served: Served, route: str, key: str | None
) -> None:
    body: dict[str, Any] = {"model": "fast", "messages": HELLO}
    if route == "POST /prompt":
        body = {"prompt": "hi"}
    status, answer = served(route, body, key=key)
    assert (status, answer["error"]["type"]) == (401, "authentication_error")
    assert served.asked() == 0


def test_a_disabled_client_is_a_403(served: Served) -> None:
    served.key, served.client = served.aws.add_client(disabled={"BOOL": True})
    status, answer = served("POST /prompt", {"prompt": "hi"})
    assert (status, answer["error"]["type"], served.asked()) == (403, "permission_error", 0)


def test_over_budget_is_a_429_that_client_libraries_do_not_repeat(served: Served) -> None:
    served.key, served.client = served.aws.add_client(budget=10)
    answer = served.raw(event("POST /prompt", {"prompt": "hi"}, key=served.key))
    assert answer["statusCode"] == 429
    assert json.loads(answer["body"])["error"]["type"] == "rate_limit_error"
    assert answer["headers"]["x-should-retry"] == "false"
    assert served.asked() == 0


def test_an_empty_secret_is_a_503_that_says_what_to_run_and_costs_nothing(
    aws: AwsDouble, claude: Fake
) -> None:
    with closing(Served(aws, claude, key=None)) as served:
        status, answer = served("POST /prompt", {"prompt": "hi"})
        assert (status, answer["error"]["type"]) == (503, "api_error")
        assert "kit key set" in answer["error"]["message"]
        assert served.aws.row(served.client)["open"] == {}
        assert served.asked() == 0


def test_a_table_that_is_down_refuses_every_call_and_claude_is_not_asked(served: Served) -> None:
    served.aws.broken = lambda action: (
        (500, {"__type": "InternalServerError"}) if action.startswith("dynamodb") else None
    )
    began = time.monotonic()
    answer = served.raw(event("POST /prompt", {"prompt": "hi"}, key=served.key))
    assert answer["statusCode"] == 503
    assert json.loads(answer["body"])["error"]["type"] == "overloaded_error"
    assert answer["headers"]["retry-after"] == "1"
    assert served.asked() == 0
    assert time.monotonic() - began < 3


def test_a_settlement_that_fails_stays_charged_and_the_answer_goes_out(served: Served) -> None:
    def broken_after_the_first(action: str) -> tuple[int, dict[str, Any]] | None:
        updates = served.aws.count("dynamodb:UpdateItem")
        return (500, {}) if action == "dynamodb:UpdateItem" and updates > 1 else None

    served.aws.broken = broken_after_the_first
    status, _ = served("POST /prompt", {"prompt": "hi"})
    assert status == 200
    assert len(served.aws.row(served.client)["open"]) == 1


def test_a_rotated_claude_key_is_picked_up_without_a_failed_request(served: Served) -> None:
    served("POST /prompt", {"prompt": "hi"})
    rotated = CLAUDE_KEY + "-2"
    secret = served.settings.claude_secret
    served.aws.boto("secretsmanager").put_secret_value(SecretId=secret, SecretString=rotated)
    served.claude.keys([rotated])
    assert served("POST /prompt", {"prompt": "hi"})[0] == 200


def test_a_key_that_claude_refuses_is_a_503_not_the_callers_401(served: Served) -> None:
    served.claude.keys(["sk-ant-" + "somebody-elses-key"])
    status, answer = served("POST /prompt", {"prompt": "hi"})
    assert (status, answer["error"]["type"]) == (503, "api_error")
    assert "kit key set" in answer["error"]["message"]
    assert served.aws.row(served.client)["open"] == {}


def test_a_request_that_came_in_too_late_is_a_504_while_the_api_still_listens(
    served: Served,
) -> None:
    sent = event("POST /prompt", {"prompt": "hi"}, key=served.key)
    sent["requestContext"]["requestTimeEpoch"] -= 27_000
    status, answer = parsed(served.raw(sent))
    assert (status, answer["error"]["type"]) == (504, "timeout_error")


def test_no_prompt_no_answer_and_no_key_is_in_any_log(
    served: Served, capfd: pytest.CaptureFixture[str]
) -> None:
    canary = "canary-7f3a"
    served("POST /prompt", {"prompt": canary})
    served("POST /prompt", {"prompt": canary, "model": "deep"})
    served("POST /v1/messages/count_tokens", {"model": canary, "messages": HELLO})
    served("POST /prompt", {"prompt": canary}, key="ck_" + canary.ljust(43, "x"))
    written = "".join(capfd.readouterr())
    assert "ServerlessStack" in written or "tests" in written
    for secret in (canary, served.key, CLAUDE_KEY):
        assert secret not in written


def test_what_a_call_used_is_counted_in_metrics(
    served: Served, capfd: pytest.CaptureFixture[str]
) -> None:
    _, body = served("POST /prompt", {"prompt": "hi"})
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines() if "_aws" in line]
    (counted,) = lines
    assert counted["gen_ai.usage.output_tokens"] == [body["usage"]["output_tokens"]]
    assert counted["cost_usd"] == [body["cost_usd"]]
    assert counted["gen_ai.request.model"] == "claude-haiku-5-5"
    assert counted["service"] == "tests"


def test_a_route_that_the_function_does_not_know_is_a_404(served: Served) -> None:
    assert served("GET /nothing")[0] == 404
    assert "GET /nothing" not in ROUTES


def test_an_error_that_nobody_expected_is_a_500_without_its_words(
    served: Served, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("-".join(("canary", "5c1d")))  # not in the source line

    monkeypatch.setattr("claude_core.messages.prompt_request", broken)
    status, answer = served("POST /prompt", {"prompt": "hi"})
    assert (status, answer["error"]["type"]) == (500, "api_error")
    written = "".join(capfd.readouterr())
    assert "crashes" in written
    assert "canary-5c1d" not in json.dumps(answer) + written
