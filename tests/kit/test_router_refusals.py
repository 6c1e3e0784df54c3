"""What `kit router eval` makes of a refusal, in the very words and headers that the kit sends."""

import datetime as dt

import httpx2
import pytest

from claude_core import errors
from claude_core.errors import KitError
from claude_core.limits import Limits
from kit.router.refusals import Later, refusal
from kit.say import Stop

NOW = dt.datetime(2026, 11, 24, 18, 44, 30, tzinfo=dt.UTC)


def refused(err: KitError, *, left: int | None = 59) -> Exception:
    if left is not None:
        err.limits = Limits(60, left, NOW, 10**9, 10**9, NOW)
    return refusal(
        httpx2.Response(err.status, headers=err.to_headers("req_1"), json=err.to_json("req_1"))
    )


def test_the_clients_own_minute_is_waited_for_and_claudes_limit_is_a_failure() -> None:
    own = errors.TooMany("too many", retry_after_s=30)
    own.budget = {"name": "requests per minute of shop"}
    later = refused(own, left=0)
    assert isinstance(later, Later)
    assert (later.wait_s, str(later)) == (30, "429 too many")
    claudes = refused(errors.RateLimited("This request would exceed", retry_after_s=30))
    assert isinstance(claudes, KitError)


def test_a_budget_that_open_calls_hold_is_waited_for() -> None:
    held = errors.OverBudget("reserved for open calls", retry_after_s=2)
    held.retry_helps, held.budget = True, {"name": "monthly budget of shop"}
    assert isinstance(refused(held), Later)


def test_api_gateways_throttle_tells_no_limits_and_is_waited_for_too() -> None:
    gateway = httpx2.Response(429, headers={"x-should-retry": "true"}, json={"message": "slow"})
    found = refusal(gateway)
    assert isinstance(found, Later)
    assert found.wait_s == 1


def test_a_wait_that_is_too_long_ends_the_run_and_says_what_to_raise() -> None:
    answer = httpx2.Response(429, headers={"x-should-retry": "true", "retry-after": "3600"})
    found = refusal(answer)
    assert isinstance(found, Stop)
    assert "--rpm" in str(found)


@pytest.mark.parametrize(
    "err",
    [
        errors.NotAuthenticated("no such key"),
        errors.NotAllowed("model: this client may not use claude-haiku-5-5"),
        errors.NotFound("no such route"),
        errors.OverBudget("over budget"),
        errors.Stopped("stopped"),
        errors.KeyMissing("no key"),
        errors.KeyRejected("a bad key"),
        errors.SpendCapReached("spend cap"),
    ],
    ids=lambda err: type(err).__name__,
)
def test_what_the_next_question_would_hear_too_ends_the_run(err: KitError) -> None:
    found = refused(err)
    assert isinstance(found, Stop)
    assert str(found) == f"{err.status} {err.message}"


@pytest.mark.parametrize(
    ("err", "billed"),
    [
        (errors.InvalidRequest("text: too long"), False),
        (errors.UpstreamRefused("prompt is too long", status=413, type="request_too_large"), False),
        (errors.AwsUnreachable("the table did not answer"), False),
        (errors.Overloaded("Overloaded"), False),
        (errors.UpstreamBroken("Internal server error"), True),
        (errors.AnswerLost("cut off"), True),
        (errors.DeadlinePassed("late"), True),
    ],
    ids=lambda one: type(one).__name__,
)
def test_what_is_about_one_question_is_its_failure_and_may_have_cost(
    err: KitError, billed: bool
) -> None:
    """A 502 does not say whether Claude billed it: then it may have."""
    found = refused(err)
    assert isinstance(found, KitError)
    assert (found.message, found.may_be_billed) == (f"{err.status} {err.message}", billed)
    assert isinstance(found, errors.DeadlinePassed) is isinstance(err, errors.DeadlinePassed)
