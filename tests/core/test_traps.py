"""However Claude fails, whole or streamed, the caller gets a typed error in time.

One row a trap. Nothing that a library raises gets through, what helps is tried again by one owner,
and a partial answer is never taken for a whole one.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from claude_core import errors, messages
from claude_core.client import Claude
from claude_core.messages import Request
from claude_core.wire import from_bytes
from local.fake_claude.inprocess import Fake
from tests.core.asking import REQUEST, Got, asked, run, streamed, whole
from tests.doubles import CLAUDE_KEY, AwsDouble

Way = Callable[[Claude, Request, float], Awaitable[Got]]
EACH_WAY = pytest.mark.parametrize("way", [whole, streamed], ids=["whole", "streamed"])


def through(
    way: Way,
    aws: AwsDouble,
    claude: Fake,
    *,
    seconds: float = 10,
    request: Request = REQUEST,
    key: str | None = CLAUDE_KEY,
) -> Got:
    return run(aws, claude.url, lambda client: way(client, request, seconds), key)


def limited(**headers: str | None) -> dict[str, Any]:
    return {"name": "rate_limited", **headers}


TRAPS: list[tuple[Any, type[errors.KitError], int, int]] = [
    # what Claude does, the error, its status, calls that Claude sees
    ("bad_request", errors.UpstreamRefused, 400, 1),
    ("billing", errors.UpstreamRefused, 402, 1),
    ("not_found", errors.UpstreamRefused, 404, 1),
    ("too_large", errors.UpstreamRefused, 413, 1),
    ("forbidden", errors.KeyRejected, 503, 1),
    ("unauthenticated", errors.KeyRejected, 503, 1),
    ("spend_cap", errors.SpendCapReached, 429, 1),
    ("html", errors.AnswerLost, 502, 1),
    ("truncated", errors.AnswerLost, 502, 1),
    ("cut", errors.AnswerLost, 502, 1),
    ("reset", errors.AnswerLost, 502, 1),
    ({"name": "reset", "after": 2}, errors.AnswerLost, 502, 1),
    ("overloaded", errors.Overloaded, 529, 3),
    ("server_error", errors.UpstreamBroken, 502, 3),
    ("unavailable", errors.UpstreamBroken, 502, 3),
    ("timed_out", errors.DeadlinePassed, 504, 1),
    (limited(retry_after="1"), errors.RateLimited, 429, 3),
    (limited(retry_after="30"), errors.RateLimited, 429, 1),
    (limited(retry_after="171"), errors.RateLimited, 429, 1),
    (limited(retry_after="3600"), errors.RateLimited, 429, 1),
    (limited(retry_after="1e9"), errors.RateLimited, 429, 1),
    (limited(retry_after=None, retry_after_ms="20"), errors.RateLimited, 429, 3),
    (limited(retry_after=None, retry_after_ms="60000"), errors.RateLimited, 429, 1),
    (limited(retry_after="Fri, 01 Jan 2100 00:00:00 GMT"), errors.RateLimited, 429, 1),
    (limited(retry_after="Sat, 01 Jan 2000 00:00:00 GMT"), errors.RateLimited, 429, 3),
    (limited(retry_after="-5"), errors.RateLimited, 429, 3),
    (limited(retry_after="soon"), errors.RateLimited, 429, 3),
    (limited(retry_after=None), errors.RateLimited, 429, 3),
]


@EACH_WAY
@pytest.mark.parametrize(
    ("script", "error", "status", "calls"), TRAPS, ids=lambda value: str(value)[:70]
)
def test_every_failure_is_typed_and_repeated_only_when_it_helps(
    aws: AwsDouble,
    claude: Fake,
    way: Way,
    script: Any,
    error: type[errors.KitError],
    status: int,
    calls: int,
) -> None:
    claude.plan([script], repeat=True)
    with pytest.raises(error) as failed:
        through(way, aws, claude)
    assert failed.value.status == status
    assert failed.value.attempts == asked(claude) == calls
    assert CLAUDE_KEY not in failed.value.message


STREAM_TRAPS: list[tuple[Any, type[errors.KitError], int]] = [
    ({"name": "stream_error", "after": 3}, errors.Overloaded, 529),
    (
        {"name": "stream_error", "after": 2, "type": "rate_limit_error", "message": "slow"},
        errors.RateLimited,
        429,
    ),
    (
        {"name": "stream_error", "after": 2, "type": "invalid_request_error", "message": "no"},
        errors.UpstreamRefused,
        400,
    ),
    (
        {"name": "stream_error", "after": 2, "type": "api_error", "message": "oh"},
        errors.UpstreamBroken,
        502,
    ),
    ({"name": "malformed_sse", "after": 2}, errors.AnswerLost, 502),
    ({"name": "cut", "after": 2}, errors.AnswerLost, 502),
    ({"name": "ping_only", "every_ms": 5, "for_s": 0.1}, errors.AnswerLost, 502),
]


@pytest.mark.parametrize(("script", "error", "status"), STREAM_TRAPS, ids=lambda v: str(v)[:70])
def test_in_the_middle_of_a_stream_the_type_says_what_it_is_and_nothing_is_repeated(
    aws: AwsDouble, claude: Fake, script: Any, error: type[errors.KitError], status: int
) -> None:
    """The status was 200; and the caller may have shown what it has."""
    claude.plan([script], repeat=True)
    with pytest.raises(error) as failed:
        through(streamed, aws, claude)
    assert failed.value.status == status
    assert failed.value.request_id
    assert asked(claude) == 1


def test_a_retry_after_that_does_not_fit_is_handed_to_the_caller(
    aws: AwsDouble, claude: Fake
) -> None:
    claude.plan([limited(retry_after="171")])
    with pytest.raises(errors.RateLimited) as failed:
        through(whole, aws, claude)
    assert failed.value.retry_after_s == 171


@EACH_WAY
def test_a_short_overload_is_not_seen_by_the_caller(aws: AwsDouble, claude: Fake, way: Way) -> None:
    claude.plan(["overloaded", "server_error"])
    got = through(way, aws, claude)
    assert got.text
    assert got.attempts == asked(claude) == 3


@EACH_WAY
@pytest.mark.parametrize(
    "script",
    [
        "hang",
        "trickle",
        "ping_only",
        {"name": "trickle", "every_ms": 5},
        {"name": "hang", "after": 2},
    ],
    ids=str,
)
def test_the_deadline_holds_whatever_claude_does_and_the_call_is_closed(
    aws: AwsDouble, claude: Fake, way: Way, script: Any
) -> None:
    claude.plan([script])
    began = time.monotonic()
    with pytest.raises(errors.DeadlinePassed) as failed:
        through(way, aws, claude, seconds=0.8)
    assert time.monotonic() - began < 1.5
    assert failed.value.may_be_billed
    claude.wait(left=1)


@EACH_WAY
def test_a_claude_that_cannot_be_reached_cost_nothing(aws: AwsDouble, way: Way) -> None:
    with pytest.raises(errors.ConnectFailed) as failed:
        run(aws, "http://127.0.0.1:1", lambda client: way(client, REQUEST, 10))
    assert not failed.value.may_be_billed


@EACH_WAY
def test_thinking_before_the_text_is_not_the_text(aws: AwsDouble, claude: Fake, way: Way) -> None:
    claude.plan([{"name": "thinking", "thought": "considers"}])
    got = through(way, aws, claude)
    assert got.text
    assert "considers" not in got.text


@EACH_WAY
@pytest.mark.parametrize(
    "reason",
    [
        *("end_turn", "max_tokens", "stop_sequence", "tool_use", "pause_turn", "refusal"),
        "model_context_window_exceeded",
    ],
)
def test_every_stop_reason_is_an_answer(
    aws: AwsDouble, claude: Fake, way: Way, reason: str
) -> None:
    claude.plan([reason])
    assert through(way, aws, claude).stop_reason == reason


@EACH_WAY
def test_an_empty_answer_is_an_answer(aws: AwsDouble, claude: Fake, way: Way) -> None:
    claude.plan(["empty"])
    got = through(way, aws, claude)
    assert (got.text, got.stop_reason) == ("", "end_turn")


@EACH_WAY
def test_what_claude_adds_tomorrow_does_not_break_today(
    aws: AwsDouble, claude: Fake, way: Way
) -> None:
    claude.plan(["unknown_fields"])
    assert through(way, aws, claude).stop_reason == "end_turn"


@EACH_WAY
@pytest.mark.parametrize("space", ["\n", "\r\n", " "])
def test_a_key_pasted_with_white_space_around_it_works(
    aws: AwsDouble, claude: Fake, way: Way, space: str
) -> None:
    """Sent as a header it would look like a broken connection, three times."""
    assert through(way, aws, claude, key=CLAUDE_KEY + space).text


@EACH_WAY
@pytest.mark.parametrize("key", ["sk-ant-" + "a" * 20 + "\nX-Other: 1", "not-a-key", "", None])
def test_a_key_that_is_none_is_said_so_and_claude_is_not_asked(
    aws: AwsDouble, claude: Fake, way: Way, key: str | None
) -> None:
    with pytest.raises(errors.KeyMissing, match="kit key set"):
        through(way, aws, claude, key=key)
    assert asked(claude) == 0


@pytest.mark.parametrize(
    "raw", [b'{"a": "\\ud800"}', b'{"a": "\xed\xa0\x80"}'], ids=["escaped", "raw"]
)
def test_surrogates_are_refused_before_the_library_sees_them(raw: bytes) -> None:
    with pytest.raises(errors.InvalidRequest):
        from_bytes(raw)


def test_the_limit_for_whole_answers_is_checked_before_the_library_would_raise() -> None:
    body = {**REQUEST.body, "max_tokens": 21_334}
    with pytest.raises(errors.InvalidRequest, match="streaming"):
        messages.request(body)
    assert messages.request({**body, "stream": True}).max_tokens == 21_334


@EACH_WAY
def test_with_half_of_the_answers_529_claude_is_asked_hardly_more_than_once_a_request(
    aws: AwsDouble, claude: Fake, way: Way
) -> None:
    """1.1 calls a request, once the ten retries are spent that were saved in quiet times."""
    claude.plan(["overloaded"], repeat=True, probability=0.5, seed=1)

    async def many(client: Claude) -> None:
        calls = (way(client, REQUEST, 30) for _ in range(300))
        await asyncio.gather(*calls, return_exceptions=True)

    run(aws, claude.url, many)
    assert asked(claude) <= 300 * 1.1 + 10
