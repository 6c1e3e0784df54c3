"""A job has one worker at a time: claims, leases, and who may take over from whom."""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from claude_core.errors import AwsUnreachable
from claude_core.jobs.claims import ATTEMPTS, SKEW_S, Claims, Exhausted, Held, Over
from claude_core.jobs.job import Job, Status
from claude_core.jobs.rows import Rows
from tests.cloud.cloud import Do
from tests.cloud.faults import losing
from tests.cloud.refusing import Payload
from tests.core.jobs_cloud import JobsCloud, job

LEASE_S = 120


class Board(JobsCloud):
    """One queued job, and workers by their names."""

    def __init__(self) -> None:
        super().__init__()
        self.id = asyncio.run(self.jobs.keep(job())).job.id

    def claims(self, holder: str, lease_s: int = LEASE_S) -> Claims:
        def now() -> float:
            return self.now.timestamp()

        return Claims(Rows(self.aws, "jobs"), holder=holder, lease_s=lease_s, now=now)

    def claim(self, holder: str, lease_s: int = LEASE_S) -> Any:
        return asyncio.run(self.claims(holder, lease_s).claim(self.id))

    def wait(self, seconds: float) -> None:
        self.now += dt.timedelta(seconds=seconds)

    def meanwhile(self, what: Callable[[], Awaitable[Any]], *, write: int) -> None:
        """Let something happen just before the write of that number from now on."""
        before = self.calls["dynamodb:UpdateItem"]

        async def around(service: str, action: str, payload: Payload, do: Do) -> Any:
            if self.calls["dynamodb:UpdateItem"] == before + write:
                self.around = None
                await what()
            return await do()

        self.around = around


@pytest.fixture
def board() -> Board:
    return Board()


def numbers(job: Job) -> tuple[int, int, int]:
    return job.fence, job.attempts, job.crashes


def test_a_claim_counts_an_attempt_and_holds_for_a_lease(board: Board) -> None:
    claim = board.claim("one")
    assert isinstance(claim, Job)
    row = board.row(board.id)
    assert row.item == claim.item
    assert (row.status, row.holder, numbers(row)) == (Status.RUNNING, "one", (1, 1, 0))
    assert row.lease == int(board.now.timestamp()) + LEASE_S


def test_while_a_lease_holds_others_are_told_for_how_long_clocks_that_differ_included(
    board: Board,
) -> None:
    board.claim("one")
    board.wait(30)
    held = board.claim("other")
    assert isinstance(held, Held)
    assert held.left_s == pytest.approx(LEASE_S - 30 + SKEW_S, abs=0.01)
    assert numbers(board.row(board.id)) == (1, 1, 0)


def test_a_short_lease_allows_clocks_a_tenth_of_it(board: Board) -> None:
    board.claim("one", lease_s=20)
    held = board.claim("other", lease_s=20)
    assert held.left_s == pytest.approx(22, abs=0.01)


def test_a_lease_that_nobody_holds_any_more_is_taken_over_as_a_crash_and_not_before(
    board: Board,
) -> None:
    board.claim("one")
    board.wait(LEASE_S + SKEW_S - 0.5)
    assert isinstance(board.claim("other"), Held)
    board.wait(0.5)
    taken = board.claim("other")
    assert isinstance(taken, Job)
    assert (taken.holder, numbers(taken)) == ("other", (2, 2, 1))
    assert taken.lease == int(board.now.timestamp()) + LEASE_S


def test_a_claim_whose_answer_was_lost_is_found_and_held_anew_and_counts_once(
    board: Board,
) -> None:
    board.around = losing(lambda action: "after" if action == "UpdateItem" else None)
    with pytest.raises(AwsUnreachable):
        board.claim("one")
    board.around = None
    board.wait(10)
    found = board.claim("one")
    assert isinstance(found, Job)
    row = board.row(board.id)
    assert (found.fence, numbers(row)) == (1, (1, 1, 0))
    assert row.lease == int(board.now.timestamp()) + LEASE_S


def test_a_claim_that_another_took_while_its_owner_came_back_is_theirs(board: Board) -> None:
    board.claim("one")
    board.wait(LEASE_S + SKEW_S)
    board.meanwhile(lambda: board.claims("other").claim(board.id), write=2)
    assert board.claim("one") == Held(LEASE_S)
    assert board.row(board.id).holder == "other"


def test_of_two_who_take_a_job_over_one_gets_it(board: Board) -> None:
    board.claim("one")
    board.wait(LEASE_S + SKEW_S)
    board.meanwhile(lambda: board.claims("quick").claim(board.id), write=2)
    assert board.claim("slow") == Held(LEASE_S)
    row = board.row(board.id)
    assert (row.holder, numbers(row)) == ("quick", (2, 2, 1))


def test_a_lease_that_its_owner_renews_in_time_is_not_taken_over(board: Board) -> None:
    """It was late, and is no crash."""
    claim = board.claim("one")
    board.wait(LEASE_S + SKEW_S)
    board.meanwhile(lambda: board.claims("one").renew(claim), write=2)
    assert board.claim("other") == Held(LEASE_S)
    assert numbers(board.row(board.id)) == (1, 1, 0)


def test_after_the_last_attempt_a_job_is_not_claimed_again(board: Board) -> None:
    board.change(board.id, attempts={"N": str(ATTEMPTS)})
    found = board.claim("one")
    assert isinstance(found, Exhausted)
    assert (found.job.id, found.job.status) == (board.id, Status.QUEUED)


def test_a_job_that_ended_its_last_worker_is_not_claimed_again(board: Board) -> None:
    board.change(board.id, attempts={"N": str(ATTEMPTS - 1)})
    assert board.claim("one").attempts == ATTEMPTS
    assert isinstance(board.claim("other"), Held), "it may still end well"
    board.wait(LEASE_S + SKEW_S)
    found = board.claim("other")
    assert isinstance(found, Exhausted)
    assert (found.job.id, found.job.status) == (board.id, Status.RUNNING)


def test_a_job_that_a_batch_holds_is_left_to_it(board: Board) -> None:
    board.change(board.id, status={"S": Status.BATCHED.value})
    assert board.claim("one") == Held(LEASE_S)
    assert board.row(board.id).status is Status.BATCHED


def test_what_is_over_or_was_never_there_is_not_claimed(board: Board) -> None:
    board.change(board.id, status={"S": Status.DONE.value})
    found = board.claim("one")
    assert isinstance(found, Over)
    assert found.job.id == board.id
    assert asyncio.run(board.claims("one").claim("job_client_1_unknown")) is None


def test_who_lets_go_of_a_job_hands_its_attempt_back_unless_it_counts(board: Board) -> None:
    claims = board.claims("one")
    found = []
    for counts in (False, True):
        claim = board.claim("one")
        assert asyncio.run(claims.release(claim, counts=counts))
        row = board.row(board.id)
        assert (row.status, row.lease, row.holder) == (Status.QUEUED, None, None)
        found.append((row.fence, row.attempts))
    assert found == [(1, 0), (2, 1)]


def test_failures_of_claude_are_counted_apart_from_attempts(board: Board) -> None:
    claims, found = board.claims("one"), []
    for failed in (False, True, True):
        asyncio.run(claims.release(board.claim("one"), counts=False, failed=failed))
        found.append(board.row(board.id).failures)
    asyncio.run(claims.release(board.claim("one"), counts=True))
    assert [*found, board.row(board.id).failures] == [0, 1, 2, 2]


def test_a_claim_that_was_taken_over_holds_and_releases_nothing(board: Board) -> None:
    claims = board.claims("one")
    lost = board.claim("one")
    board.wait(LEASE_S + SKEW_S)
    board.claim("other")
    before = board.row(board.id).item
    assert not asyncio.run(claims.renew(lost))
    assert not asyncio.run(claims.release(lost, counts=True))
    assert board.row(board.id).item == before


def test_a_claim_is_held_by_renewing_it(board: Board) -> None:
    claim = board.claim("one")
    board.wait(100)
    assert asyncio.run(board.claims("one").renew(claim))
    board.wait(100)
    assert isinstance(board.claim("other"), Held)
