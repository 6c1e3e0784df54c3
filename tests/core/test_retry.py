"""Retries have one owner, a limit each, and a limit together."""

import time
from email.utils import formatdate

import pytest

from claude_core import errors
from claude_core.retry import ATTEMPTS, RetryBudget, retry_after_s

NEVER = [
    errors.AnswerLost("x"),
    errors.DeadlinePassed("x"),
    errors.SpendCapReached("x"),
    errors.UpstreamRefused("x", status=400, type="invalid_request_error"),
]
LATER = [
    errors.RateLimited("x"),
    errors.Overloaded("x"),
    errors.UpstreamBroken("x"),
    errors.ConnectFailed("x"),
]


def budget() -> RetryBudget:
    return RetryBudget(rand=lambda: 0.5)


@pytest.mark.parametrize("error", NEVER, ids=lambda error: type(error).__name__)
def test_what_may_be_billed_or_cannot_succeed_is_never_repeated(
    error: errors.UpstreamFailed,
) -> None:
    assert budget().delay(error, 1, left_s=100) is None


@pytest.mark.parametrize("error", LATER, ids=lambda error: type(error).__name__)
def test_what_billed_nothing_is_repeated_with_growing_waits(error: errors.UpstreamFailed) -> None:
    waits = [budget().delay(error, attempt, left_s=100) for attempt in range(1, ATTEMPTS + 1)]
    assert waits == [0.5, 1.0, None]


def test_a_retry_after_is_obeyed_when_it_fits_and_handed_on_when_it_does_not() -> None:
    error = errors.RateLimited("x", retry_after_s=3)
    assert budget().delay(error, 1, left_s=10) == 3
    assert budget().delay(error, 1, left_s=3) is None


def test_in_an_outage_retries_end_at_a_tenth_of_the_calls() -> None:
    retries, calls, sent = budget(), 10_000, 0
    for _ in range(calls):
        retries.earn()
        attempt = 1
        while retries.delay(errors.Overloaded("x"), attempt, left_s=100) is not None:
            attempt += 1
        sent += attempt
    assert sent <= calls * 1.1 + 10


def test_a_quiet_process_has_saved_up_ten_retries_and_no_more() -> None:
    retries = budget()
    for _ in range(1_000):
        retries.earn()
    given = [retries.delay(errors.Overloaded("x"), 1, left_s=100) for _ in range(12)]
    assert given == [0.5] * 10 + [None] * 2


def test_ten_calls_earn_a_retry() -> None:
    retries, given = budget(), 0
    for _ in range(1_000):
        retries.earn()
        given += retries.delay(errors.Overloaded("x"), 1, left_s=100) is not None
    assert 100 <= given <= 110


def test_those_that_failed_together_wait_for_differently_long() -> None:
    drawn = iter([0.0, 0.5, 1.0])
    retries = RetryBudget(rand=lambda: next(drawn))
    waits = [retries.delay(errors.Overloaded("x"), 1, left_s=100) for _ in range(3)]
    assert waits == [0.375, 0.5, 0.625]


@pytest.mark.parametrize(
    ("header", "header_ms", "seconds"),
    [
        ("1", None, 1),
        ("0", None, 0),
        (None, "500", 0.5),
        ("171", None, 171),
        ("1000000000", None, 1e9),
        (None, "1500", 1.5),
        ("9", "1500", 1.5),
        ("-5", None, None),
        ("inf", None, None),
        ("nan", None, None),
        ("", None, None),
        (None, None, None),
        ("soon", None, None),
    ],
)
def test_retry_after_is_read_or_left_out(
    header: str | None, header_ms: str | None, seconds: float | None
) -> None:
    assert retry_after_s(header, header_ms) == seconds


def test_a_date_that_is_over_is_no_wait() -> None:
    assert retry_after_s(formatdate(time.time() - 30, usegmt=True)) == 0


@pytest.mark.parametrize(("ahead_s", "seconds"), [(30, 30), (3_600, 3_600)])
def test_a_date_is_a_wait_too(ahead_s: float, seconds: float) -> None:
    date = formatdate(time.time() + ahead_s, usegmt=True)
    assert retry_after_s(date) == pytest.approx(seconds, abs=2)


@pytest.mark.parametrize(
    ("wait_s", "told"), [(1, "true"), (60, "true"), (61, "false"), (1e9, "false")]
)
def test_a_client_library_is_not_told_to_sleep_for_longer_than_a_minute(
    wait_s: float, told: str
) -> None:
    """The official ones obey any retry-after, in the process."""
    headers = errors.RateLimited("x", retry_after_s=wait_s).to_headers("id")
    assert headers["x-should-retry"] == told
    assert headers["retry-after"] == str(round(wait_s))
