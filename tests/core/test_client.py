"""However Claude fails, the caller gets a typed error in time, and the right one is tried again."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest

from claude_core import errors, messages
from claude_core.aws import Aws
from claude_core.client import Claude
from claude_core.messages import Request
from claude_core.reply import Reply
from claude_core.retry import RetryBudget
from claude_core.secret import Secret
from local.fake_claude.inprocess import Fake
from tests.doubles import CLAUDE_KEY, AwsDouble, http

T = TypeVar("T")
BETA = "structured-outputs-2025-11-13"
REQUEST = messages.request(
    {"model": "fast", "max_tokens": 60, "messages": [{"role": "user", "content": "hello"}]}
)


def run(aws: AwsDouble, url: str, do: Callable[[Claude], Awaitable[T]]) -> T:
    async def inner() -> T:
        async with http() as client:
            secret = Secret(Aws(client, aws.runtime), aws.claude_secret())
            retries = RetryBudget(rand=lambda: 0.0)
            return await do(Claude(url=url, secret=secret, http=client, retries=retries))

    return asyncio.run(inner())


def ask(aws: AwsDouble, claude: Fake, *, seconds: float = 10, request: Request = REQUEST) -> Reply:
    async def once(client: Claude) -> Reply:
        deadline = asyncio.get_running_loop().time() + seconds
        return await client.ask(request, deadline=deadline)

    return run(aws, claude.url, once)


def asked(claude: Fake) -> int:
    return int(claude.stats()["calls"].get("POST /v1/messages", {}).get("total", 0))


def test_an_answer_is_whole_and_as_it_came(aws: AwsDouble, claude: Fake) -> None:
    reply = ask(aws, claude)
    assert reply.text
    assert reply.stop_reason == "end_turn"
    assert reply.request_id
    assert reply.usage.output_tokens > 0


def test_the_request_arrives_byte_for_byte_with_the_key_of_the_secret(
    aws: AwsDouble, claude: Fake
) -> None:
    body: dict[str, Any] = {
        "model": "claude-sonnet-5-5",
        "max_tokens": 60,
        "messages": [{"role": "user", "content": "Grüße, 世界 🌍"}],
        "system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}],
    }
    sent = {"anthropic-beta": BETA, "anthropic-version": "2023-06-01", "x-other": "stays here"}
    request = messages.request(body, sent)
    ask(aws, claude, request=request)
    (record,) = claude.stats()["requests"]
    assert claude.body(record["id"]) == request.wire
    # One credential, and the right one: the SDK would send its own placeholder beside another.
    assert record["headers"]["authorization"].endswith(CLAUDE_KEY[-4:])
    assert "x-api-key" not in record["headers"]
    assert record["headers"]["anthropic-beta"] == BETA
    assert record["headers"]["anthropic-version"] == "2023-06-01"


FAILURES: list[tuple[Any, type[errors.KitError], int, int]] = [
    # behaviour, error, status that the caller sees, calls that Claude sees
    ("bad_request", errors.UpstreamRefused, 400, 1),
    ("too_large", errors.UpstreamRefused, 413, 1),
    ("not_found", errors.UpstreamRefused, 404, 1),
    ("forbidden", errors.KeyRejected, 503, 1),
    ("unauthenticated", errors.KeyRejected, 503, 1),
    ("spend_cap", errors.SpendCapReached, 429, 1),
    ("html", errors.AnswerLost, 502, 1),
    ("truncated", errors.AnswerLost, 502, 1),
    ("cut", errors.AnswerLost, 502, 1),
    ("overloaded", errors.Overloaded, 529, 3),
    ("server_error", errors.UpstreamBroken, 502, 3),
    ("unavailable", errors.UpstreamBroken, 502, 3),
    ({"name": "rate_limited", "retry_after": "171"}, errors.RateLimited, 429, 1),
    ({"name": "rate_limited", "retry_after": "86400"}, errors.RateLimited, 429, 1),
    ({"name": "rate_limited", "retry_after": "1e9"}, errors.RateLimited, 429, 1),
    ({"name": "rate_limited", "retry_after": None}, errors.RateLimited, 429, 3),
    ({"name": "rate_limited", "retry_after": "-5"}, errors.RateLimited, 429, 3),
]


@pytest.mark.parametrize(
    ("behaviour", "error", "status", "calls"), FAILURES, ids=lambda value: str(value)[:60]
)
def test_every_failure_is_typed_and_repeated_only_when_it_helps(
    aws: AwsDouble,
    claude: Fake,
    behaviour: Any,
    error: type[errors.KitError],
    status: int,
    calls: int,
) -> None:
    claude.plan([behaviour], repeat=True)
    with pytest.raises(error) as failed:
        ask(aws, claude)
    assert failed.value.status == status
    assert asked(claude) == calls
    assert CLAUDE_KEY not in failed.value.message


def test_a_retry_after_that_does_not_fit_is_handed_to_the_caller(
    aws: AwsDouble, claude: Fake
) -> None:
    claude.plan([{"name": "rate_limited", "retry_after": "171"}])
    with pytest.raises(errors.RateLimited) as failed:
        ask(aws, claude)
    assert failed.value.retry_after_s == 171


def test_a_short_overload_is_not_seen_by_the_caller(aws: AwsDouble, claude: Fake) -> None:
    claude.plan(["overloaded", "server_error"])
    assert ask(aws, claude).text
    assert asked(claude) == 3


@pytest.mark.parametrize("behaviour", ["hang", "trickle"])
def test_the_deadline_holds_whatever_claude_does_and_the_call_is_closed(
    aws: AwsDouble, claude: Fake, behaviour: str
) -> None:
    claude.plan([behaviour])
    began = time.monotonic()
    with pytest.raises(errors.DeadlinePassed) as failed:
        ask(aws, claude, seconds=0.8)
    assert time.monotonic() - began < 1.5
    assert failed.value.may_be_billed
    claude.wait(left=1)


def test_a_claude_that_cannot_be_reached_is_a_502_that_cost_nothing(aws: AwsDouble) -> None:
    async def once(client: Claude) -> Reply:
        deadline = asyncio.get_running_loop().time() + 10
        return await client.ask(REQUEST, deadline=deadline)

    with pytest.raises(errors.ConnectFailed) as failed:
        run(aws, "http://127.0.0.1:1", once)
    assert not failed.value.may_be_billed


def test_a_reset_after_the_request_was_sent_is_not_repeated_since_it_may_be_billed(
    aws: AwsDouble, claude: Fake
) -> None:
    claude.plan(["reset"], repeat=True)
    with pytest.raises(errors.AnswerLost) as failed:
        ask(aws, claude)
    assert failed.value.may_be_billed
    assert asked(claude) == 1


def test_thinking_before_the_text_is_not_the_text(aws: AwsDouble, claude: Fake) -> None:
    claude.plan(["thinking"])
    reply = ask(aws, claude)
    assert reply.message["content"][0]["type"] == "thinking"
    assert "considers" not in reply.text


@pytest.mark.parametrize(
    "reason",
    ["max_tokens", "stop_sequence", "pause_turn", "refusal", "model_context_window_exceeded"],
)
def test_every_stop_reason_is_an_answer(aws: AwsDouble, claude: Fake, reason: str) -> None:
    claude.plan([reason])
    assert ask(aws, claude).stop_reason == reason


def test_an_empty_answer_is_an_answer(aws: AwsDouble, claude: Fake) -> None:
    claude.plan(["empty"])
    assert ask(aws, claude).text == ""


def test_with_half_of_the_answers_529_claude_is_not_asked_much_more_than_once_a_request(
    aws: AwsDouble, claude: Fake
) -> None:
    claude.plan(["overloaded"], repeat=True, probability=0.5, seed=1)

    async def many(client: Claude) -> None:
        deadline = asyncio.get_running_loop().time() + 30
        calls = (client.ask(REQUEST, deadline=deadline) for _ in range(300))
        await asyncio.gather(*calls, return_exceptions=True)

    run(aws, claude.url, many)
    assert asked(claude) <= 300 * 1.1 + 10
