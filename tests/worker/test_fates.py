"""What becomes of a job, by the kind of error: nothing healthy is dead-lettered by throttling."""

import random

import pytest

from claude_core import errors
from claude_core.jobs.claims import ATTEMPTS, FREE_FAILURES
from claude_core.jobs.job import Job, Status
from worker_src.fates import End, Later, exhausted, fate_of, hidden_s
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
    assert delays == sorted(delays)
    assert sum(delays) > 3_600, "an outage of an hour is outlived"
    end = fate_of(errors.UpstreamBroken("500"), job(failures=FREE_FAILURES - 1))
    assert end == End(Status.DEAD, "api_error", "Claude failed 20 times; the last one: 500")


def test_an_answer_that_was_lost_uses_up_an_attempt_and_the_fifth_is_the_end() -> None:
    lost = errors.AnswerLost("reset")
    fates = [fate_of(lost, job(attempts=at)) for at in range(1, ATTEMPTS + 1)]
    assert all(isinstance(fate, Later) and fate.counts for fate in fates[:-1])
    assert fates[-1] == End(Status.DEAD, "api_error", "5 attempts failed; the last one: reset")


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


def test_a_job_that_ended_its_workers_says_so_to_its_owner() -> None:
    end = exhausted(job(attempts=5, crashes=4))
    assert end.message == "5 attempts ended without an answer, 4 of them with the worker"


def test_a_thousand_receipts_are_more_than_a_week() -> None:
    """The queue gives a message up at its thousandth receipt."""
    rand = random.Random(1)
    waited = sum(hidden_s(1.0, receives, rand) for receives in range(1_000))
    assert waited > 7 * 86_400


def test_those_that_failed_together_do_not_come_back_together() -> None:
    rand = random.Random(1)
    assert len({hidden_s(60.0, 1, rand) for _ in range(200)}) > 25
