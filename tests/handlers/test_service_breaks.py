"""A stream that breaks, is late, or is left: never whole, always settled, upstream closed."""

import asyncio
import time
from typing import Any

import httpx2
import pytest

from local.fake_claude.inprocess import Fake
from tests.doubles import AwsDouble
from tests.handlers.served import MESSAGE, STREAM, Served, service, settled

BROKEN: list[tuple[dict[str, Any], str]] = [
    ({"name": "stream_error"}, "overloaded_error"),
    ({"name": "stream_error", "type": "api_error", "message": "no"}, "api_error"),
    ({"name": "stream_error", "type": "rate_limit_error", "message": "no"}, "rate_limit_error"),
    ({"name": "cut"}, "api_error"),
    ({"name": "reset", "after": 2}, "api_error"),
    ({"name": "malformed_sse"}, "api_error"),
]


@pytest.mark.parametrize(("script", "kind"), BROKEN, ids=lambda value: str(value)[:50])
def test_a_stream_that_breaks_ends_in_an_error_and_never_looks_whole(
    served: Served, script: dict[str, Any], kind: str
) -> None:
    served.claude.plan([script])
    *shown, last = served.events()
    assert (last["type"], last["error"]["type"]) == ("error", kind)
    assert last["request_id"].startswith("req_")
    assert "message_stop" not in {event["type"] for event in shown}
    assert served.open() == 0
    assert served.spent() > 0
    assert served.asked() == 1


def test_where_claude_stopped_by_itself_only_what_was_written_is_charged(served: Served) -> None:
    """Where the connection broke Claude may have written on: all that was reserved stays spent."""
    served.claude.plan([{"name": "stream_error", "after": 1}])
    served.events(max_tokens=4_000)
    stopped = served.spent()
    served.claude.plan([{"name": "cut", "after": 1}])
    served.events(max_tokens=4_000)
    broken = served.spent() - stopped
    assert 0 < stopped < 4_000 * 500 < broken


@pytest.mark.parametrize("script", [{"name": "trickle"}, {"name": "hang", "after": 2}])
def test_a_stream_past_its_time_ends_in_a_timeout_error_and_the_upstream_is_closed(
    aws: AwsDouble, claude: Fake, script: dict[str, Any]
) -> None:
    with service(aws, claude, stream_timeout_s="0.5") as served:
        claude.plan([script])
        began = time.monotonic()
        text = served.post(STREAM).text
        assert "timeout_error" in text
        assert time.monotonic() - began < 2
        claude.wait(left=1)
        assert served.open() == 0


def test_a_whole_answer_past_its_time_is_a_504_that_says_to_stream(
    aws: AwsDouble, claude: Fake
) -> None:
    with service(aws, claude, answer_timeout_s="0.3") as served:
        claude.plan(["hang"])
        answer = served.post(MESSAGE)
        assert (answer.status_code, answer.json()["error"]["type"]) == (504, "timeout_error")
        assert "stream" in answer.json()["error"]["message"]
        claude.wait(left=1)


@pytest.mark.parametrize("body", [STREAM, MESSAGE], ids=["streamed", "whole"])
def test_a_caller_that_leaves_before_the_first_token_ends_the_call_within_a_second(
    served: Served, body: dict[str, Any]
) -> None:
    served.claude.plan(["hold"])

    async def leave() -> None:
        async with httpx2.AsyncClient(base_url=served.url, timeout=20) as http:
            headers = {"x-api-key": served.key}
            asking = asyncio.create_task(http.post("/v1/messages", json=body, headers=headers))
            await asyncio.to_thread(served.claude.wait, in_flight=1)
            asking.cancel()

    asyncio.run(leave())
    began = time.monotonic()
    served.claude.wait(left=1)
    assert time.monotonic() - began < 1
    settled(served)


def test_a_caller_that_leaves_in_the_middle_ends_the_call_and_pays_for_what_was_written(
    served: Served,
) -> None:
    served.claude.plan([{"name": "hold", "after": 2}])
    with served.streaming() as chunks:
        while b"text_delta" not in next(chunks):
            pass
    began = time.monotonic()
    served.claude.wait(left=1)
    assert time.monotonic() - began < 1
    settled(served)
    assert 0 < served.spent() < MESSAGE["max_tokens"] * 500
