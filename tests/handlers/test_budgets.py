"""Budgets at the edge: limits on every answer, refusals that say why, and closed when in doubt."""

import asyncio
import datetime as dt
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import anthropic
import httpx2
import pytest

from claude_core import messages
from claude_core.row import minute_of
from local.fake_claude.inprocess import Fake
from service_src.app import create
from tests.doubles import AwsDouble
from tests.handlers.served import MESSAGE, STREAM, Served, service, settled
from tests.serving import serving

LIMITS = {
    f"anthropic-ratelimit-{what}-{which}"
    for what in ("requests", "budget")
    for which in ("limit", "remaining", "reset")
}
SEARCH = {"tools": [{"type": "web_search_20260209", "name": "web_search", "max_uses": 1}]}


def limits(answer: httpx2.Response) -> set[str]:
    return {name for name in answer.headers if name.startswith("anthropic-ratelimit-")}


@pytest.mark.parametrize("body", [MESSAGE, STREAM], ids=["whole", "streamed"])
def test_every_answer_tells_the_clients_own_limits(served: Served, body: dict[str, Any]) -> None:
    answers = [served.post(body) for _ in range(2)]
    assert [limits(answer) for answer in answers] == [LIMITS, LIMITS]
    left = [int(one.headers["anthropic-ratelimit-requests-remaining"]) for one in answers]
    assert left[1] == left[0] - 1 or left[1] == 9_999  # unless a minute began between
    # Sent before the settlement: what the call may cost is taken from it.
    assert float(answers[0].headers["anthropic-ratelimit-budget-remaining"]) < 10


def test_claudes_own_failures_tell_them_too(served: Served) -> None:
    served.claude.plan(["overloaded"] * 9)
    assert limits(served.post(MESSAGE)) == LIMITS


def test_a_refusal_of_the_budget_tells_them_and_how_it_stands(aws: AwsDouble, claude: Fake) -> None:
    with service(aws, claude) as served:
        costly = MESSAGE | {"model": "balanced", "system": "x" * 4_000_000}
        served.aws.boto("dynamodb").update_item(
            TableName="clients",
            Key={"id": {"S": served.client.id}},
            UpdateExpression="SET budget = :some REMOVE #left",
            ExpressionAttributeNames={"#left": f"left_{time.strftime('%Y_%m', time.gmtime())}"},
            ExpressionAttributeValues={":some": {"N": "1000000000"}},
        )
        refused = served.post(costly)
    assert (refused.status_code, limits(refused)) == (429, LIMITS)
    error = refused.json()["error"]
    assert error["type"] == "rate_limit_error"
    assert error["budget"]["name"] == "monthly budget of tests"
    assert refused.headers["x-should-retry"] == "false"


def test_too_many_requests_a_minute_are_a_429_that_the_official_client_can_wait_for(
    aws: AwsDouble, claude: Fake
) -> None:
    with service(aws, claude) as served:
        now = dt.datetime.now(dt.UTC)
        minutes = (minute_of(now), minute_of(now + dt.timedelta(minutes=1)))
        served.aws.boto("dynamodb").update_item(
            TableName="clients",
            Key={"id": {"S": served.client.id}},
            UpdateExpression="SET #now = :none, #next = :none",
            ExpressionAttributeNames={"#now": minutes[0], "#next": minutes[1]},
            ExpressionAttributeValues={":none": {"N": "0"}},
        )
        with (
            anthropic.Anthropic(base_url=served.url, api_key=served.key, max_retries=0) as client,
            pytest.raises(anthropic.RateLimitError) as refused,
        ):
            client.messages.create(
                model="fast", max_tokens=5, messages=[{"role": "user", "content": "hi"}]
            )
        assert served.asked() == 0
    headers = refused.value.response.headers
    assert 1 <= int(headers["retry-after"]) <= 60
    assert headers["x-should-retry"] == "true"


def test_a_call_takes_two_requests_to_dynamodb_whole_or_streamed(served: Served) -> None:
    for body in (MESSAGE, STREAM) * 3:
        assert served.post(body).status_code == 200
    actions = [action for service, action, _ in served.aws.calls if service == "dynamodb"]
    assert actions == ["UpdateItem"] * 12


def test_an_extra_is_a_400_that_names_it_until_it_is_allowed_and_then_it_is_priced(
    served: Served,
) -> None:
    refused = served.post(MESSAGE | SEARCH)
    assert refused.status_code == 400
    assert refused.json()["error"]["message"].startswith("web_search: it runs at Claude")
    assert "kit clients allow NAME web_search" in refused.json()["error"]["message"]
    assert (served.asked(), served.spent()) == (0, 0)
    served.aws.boto("dynamodb").update_item(
        TableName="clients",
        Key={"id": {"S": served.client.id}},
        UpdateExpression="ADD extras :one",
        ExpressionAttributeValues={":one": {"SS": ["web_search"]}},
    )
    served.claude.plan(
        [{"name": "answer", "usage": {"server_tool_use": {"web_search_requests": 1}}}]
    )
    allowed = served.post(MESSAGE | SEARCH)
    assert allowed.status_code == 200
    used = allowed.json()["usage"]
    tokens = used["input_tokens"] * 100 + used["output_tokens"] * 500
    assert served.spent() == 10_000_000 + tokens


def test_a_stream_with_tools_at_claude_that_breaks_is_charged_whole_since_nobody_told_what_was_read(
    served: Served,
) -> None:
    served.aws.boto("dynamodb").update_item(
        TableName="clients",
        Key={"id": {"S": served.client.id}},
        UpdateExpression="ADD extras :one",
        ExpressionAttributeValues={":one": {"SS": ["web_search"]}},
    )
    served.claude.plan(["stream_error"])
    events = served.events(**SEARCH)
    assert events[-1]["type"] == "error"
    worst = messages.request(STREAM | SEARCH).worst_cost
    assert served.spent() == worst > 10**9


def test_stopped_clients_get_a_503_and_claude_is_not_asked(served: Served) -> None:
    served.aws.boto("dynamodb").update_item(
        TableName="clients",
        Key={"id": {"S": served.client.id}},
        UpdateExpression="SET stopped = :yes",
        ExpressionAttributeValues={":yes": {"BOOL": True}},
    )
    for body in (MESSAGE, STREAM):
        answer = served.post(body)
        assert answer.status_code == 503
        assert "kit budget resume" in answer.json()["error"]["message"]
    assert served.asked() == 0


def test_a_warning_goes_to_the_topic_beside_the_answer(served: Served) -> None:
    served.claude.plan([{"name": "answer", "usage": {"output_tokens": 12_000_000}}])
    assert served.post(MESSAGE).status_code == 200
    assert served.aws.published() == ["Claude budget: tests has used 50 %"]


def test_a_topic_that_is_gone_does_not_keep_an_answer_back(aws: AwsDouble, claude: Fake) -> None:
    with service(aws, claude, alarm_topic="arn:aws:sns:us-east-1:123456789012:gone") as served:
        claude.plan([{"name": "answer", "usage": {"output_tokens": 12_000_000}}])
        assert served.post(MESSAGE).status_code == 200
        settled(served)


@contextmanager
def deaf() -> Iterator[str]:
    """An address that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as sock:
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"


@contextmanager
def nobody() -> Iterator[str]:
    """An address that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
    yield f"http://127.0.0.1:{port}"


DOWN: dict[str, Any] = {
    "throttled": (400, {"__type": "x#ProvisionedThroughputExceededException", "message": "slow"}),
    "broken": (500, {"__type": "InternalServerError", "message": "down"}),
    "gone": (400, {"__type": "x#ResourceNotFoundException", "message": "no such table"}),
    "nobody listens": nobody,
    "nobody answers": deaf,
}


async def hundred(url: str, key: str) -> list[tuple[httpx2.Response, float]]:
    async with httpx2.AsyncClient(timeout=20, limits=httpx2.Limits(max_connections=100)) as http:

        async def one(at: int) -> tuple[httpx2.Response, float]:
            began = time.monotonic()
            body = STREAM if at % 2 else MESSAGE
            answer = await http.post(f"{url}/v1/messages", json=body, headers={"x-api-key": key})
            return answer, time.monotonic() - began

        return list(await asyncio.gather(*[one(at) for at in range(100)]))


@pytest.mark.parametrize("how", DOWN)
def test_with_the_table_down_a_hundred_requests_are_a_hundred_503s_and_claude_is_not_asked(
    aws: AwsDouble, claude: Fake, how: str
) -> None:
    down = DOWN[how]
    settings = replace(
        aws.settings(claude.url), answer_timeout_s="10", stream_timeout_s="20", ping_s="15"
    )
    key, _ = aws.add_client()
    if isinstance(down, tuple):
        aws.broken = lambda action: down if action.startswith("dynamodb") else None
        with serving(create(settings, aws.runtime)) as url:
            answers = asyncio.run(hundred(url, key))
    else:
        with (
            down() as endpoint,
            serving(create(settings, replace(aws.runtime, endpoint_url=endpoint))) as url,
        ):
            answers = asyncio.run(hundred(url, key))
    assert {answer.status_code for answer, _ in answers} == {503}
    assert {answer.json()["error"]["type"] for answer, _ in answers} == {"overloaded_error"}
    assert all(int(answer.headers["retry-after"]) >= 1 for answer, _ in answers)
    # 2.5 s for the table, and what a hundred at once take in this one process.
    assert max(took for _, took in answers) < 6
    assert claude.stats()["calls"] == {}


def test_one_request_with_a_table_that_never_answers_is_refused_within_three_seconds(
    aws: AwsDouble, claude: Fake
) -> None:
    settings = replace(
        aws.settings(claude.url), answer_timeout_s="10", stream_timeout_s="20", ping_s="15"
    )
    key, _ = aws.add_client()
    with (
        deaf() as endpoint,
        serving(create(settings, replace(aws.runtime, endpoint_url=endpoint))) as url,
        httpx2.Client(base_url=url, headers={"x-api-key": key}, timeout=20) as http,
    ):
        http.get("/health")
        began = time.monotonic()
        answer = http.post("/v1/messages", json=MESSAGE)
        took = time.monotonic() - began
    assert answer.status_code == 503
    assert took < 3
