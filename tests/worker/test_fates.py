"""What becomes of a job, by the kind of error: nothing healthy is dead-lettered by throttling."""

import random
from itertools import pairwise

import pytest

from claude_core import errors
from claude_core.jobs.claims import ATTEMPTS, FREE_FAILURES
from claude_core.jobs.job import Job, Status
from worker_src.fates import End, Later, after_crash, exhausted, fate_of, hidden_s, shortly_after_s
from worker_src.governor import Wait


def job(**numbers: int) -> Job:
    found = {"attempts": 1, "crashes": 0, "failures": 0} | numbers
    return Job({name: {"N": str(number)} for name, number in found.items()})


WAITS = [
    errors.RateLimited("slow", retry_after_s=9.0),
    errors.Overloaded("full"),
    Wait("wait"),
    errors.TooMany("per minute", retry_after_s=40.0),
    errors.AwsUnreachable("down"),
    errors.Stopped("stopped"),
    errors.KeyMissing("no key"),
    errors.KeyRejected("bad key"),
    errors.SpendCapReached("cap"),
]


@pytest.mark.parametrize("err", WAITS, ids=lambda err: type(err).__name__)
def test_waiting_uses_up_no_attempt_however_often(err: errors.KitError) -> None:
    fate = fate_of(err, job(attempts=ATTEMPTS, failures=FREE_FAILURES))
    assert isinstance(fate, Later)
    assert not fate.counts
    assert not fate.failed
    assert fate.delay_s >= (err.retry_after_s or 1.0)


def test_a_failure_that_costs_nothing_is_tried_twenty_times_ever_later() -> None:
    delays = []
    for failures in range(FREE_FAILURES - 1):
        fate = fate_of(errors.UpstreamBroken("500"), job(failures=failures, attempts=ATTEMPTS))
        assert isinstance(fate, Later)
        assert (fate.counts, fate.failed) == (False, True)
        delays.append(fate.delay_s)
    assert all(b == min(900, 2 * a) for a, b in pairwise(delays)), "a quarter of an hour at most"
    assert sum(delays) > 3_600, "an outage of an hour is outlived"
    end = fate_of(errors.UpstreamBroken("500"), job(failures=FREE_FAILURES - 1))
    assert end == End(Status.DEAD, "api_error", "Claude failed 20 times; the last one: 500")


def test_an_answer_that_was_lost_uses_up_an_attempt_and_the_fifth_is_the_end() -> None:
    lost = errors.AnswerLost("reset")
    fates = [fate_of(lost, job(attempts=at)) for at in range(1, ATTEMPTS + 1)]
    assert all(isinstance(fate, Later) and fate.counts for fate in fates[:-1])
    assert fates[-1] == End(Status.DEAD, "api_error", "5 attempts failed; the last one: reset")


def test_each_attempt_that_was_lost_is_waited_for_twice_as_long_as_the_last() -> None:
    fates = [after_crash(job(attempts=at), errors.KitError("odd")) for at in range(1, ATTEMPTS)]
    delays = [fate.delay_s for fate in fates if isinstance(fate, Later)]
    assert all(b == 2 * a for a, b in pairwise(delays))
    assert sum(delays) < 300, "its owner learns within minutes that it is dead"


def test_a_row_without_a_count_of_failures_has_none() -> None:
    broken = errors.UpstreamBroken("500")
    new = Job({"attempts": {"N": "1"}, "crashes": {"N": "0"}})
    assert fate_of(broken, new) == fate_of(broken, job(failures=0))


def test_a_job_that_was_refused_waits_until_its_line_is_not_paused_any_more() -> None:
    assert fate_of(errors.Overloaded("full"), job(), refused_s=32.0) == Later(32.0)
    slow = errors.RateLimited("slow", retry_after_s=9.0)
    assert fate_of(slow, job(), refused_s=2.0) == Later(9.0)


FINAL = [
    errors.InvalidRequest("bad"),
    errors.NotAllowed("model"),
    errors.NotAuthenticated("gone"),
    errors.UpstreamRefused("too long", status=400, type="invalid_request_error"),
    errors.DeadlinePassed("late"),
    errors.OverBudget("no money"),
]


@pytest.mark.parametrize("err", FINAL, ids=lambda err: type(err).__name__)
def test_what_another_attempt_would_not_change_fails_at_once_with_its_reason(
    err: errors.KitError,
) -> None:
    fate = fate_of(err, job())
    assert isinstance(fate, End)
    assert fate.status is Status.FAILED
    assert fate.type == err.type


def test_over_budget_waits_where_open_calls_may_give_money_back() -> None:
    err = errors.OverBudget("for now", retry_after_s=5.0)
    err.retry_helps = True
    assert fate_of(err, job()) == Later(5.0)
    err = errors.OverBudget("for now", retry_after_s=40.0)
    err.retry_helps = True
    assert fate_of(err, job()) == Later(40.0)
    err.retry_after_s = None
    soon = fate_of(err, job())
    assert isinstance(soon, Later)
    assert 1 <= soon.delay_s <= 10


def test_a_job_that_ended_its_workers_says_so_to_its_owner() -> None:
    said = "5 attempts ended without an answer, 4 of them with the worker"
    assert exhausted(job(attempts=5, crashes=4)) == End(Status.DEAD, "api_error", said)


def test_a_job_that_ended_no_worker_is_not_blamed_for_it() -> None:
    end = exhausted(job(attempts=5, crashes=0))
    assert end == End(Status.DEAD, "api_error", "5 attempts ended without an answer")


def test_a_thousand_receipts_are_more_than_a_week() -> None:
    """The queue gives a message up at its thousandth receipt."""
    rand = random.Random(1)
    waited = sum(hidden_s(1.0, receives, rand) for receives in range(1_000))
    assert waited > 7 * 86_400


def test_those_that_failed_together_do_not_come_back_together() -> None:
    rand = random.Random(1)
    assert len({hidden_s(60.0, 1, rand) for _ in range(200)}) > 25


@pytest.mark.parametrize(("delay_s", "most"), [(20.0, 11), (60.0, 30), (3_600.0, 30)])
def test_jitter_never_shortens_a_wait_and_lengthens_it_by_half_or_30_s_at_most(
    delay_s: float, most: int
) -> None:
    rand = random.Random(1)
    found = {hidden_s(delay_s, 1, rand) - delay_s for _ in range(500)}
    assert (min(found), max(found)) == (0, most)


def test_a_message_whose_job_is_held_comes_back_just_after_the_lease() -> None:
    rand = random.Random(1)
    found = {shortly_after_s(60.4, rand) for _ in range(200)}
    assert min(found) > 60.4
    assert max(found) < 60.4 + 3
    assert len(found) > 1, "those that found leases of one worker do not come together"
