"""The last word on a job is written once, by whoever has its claim, and lasts for a while."""

import asyncio
import json
import time
from typing import Any

import pytest

from claude_core.errors import AwsUnreachable
from claude_core.jobs.claims import Claims
from claude_core.jobs.endings import Endings
from claude_core.jobs.job import Job, Status
from claude_core.jobs.rows import Rows
from tests.cloud.cloud import Do
from tests.cloud.refusing import Payload
from tests.core.jobs_cloud import CLIENT, START, JobsCloud, job

NOW = START.timestamp()
RESULT = {"content": [{"type": "text", "text": "hello"}], "stop_reason": "end_turn"}
USAGE = {"input_tokens": 3, "output_tokens": 5}


class Desk(JobsCloud):
    """One job of a client, and its ends."""

    def __init__(self) -> None:
        super().__init__()
        rows = Rows(self.aws, "jobs")
        self._claims = Claims(rows, holder="one", lease_s=120, now=lambda: NOW)
        self._endings = Endings(rows, keep_days=30, now=lambda: NOW)

    def keep(self, lane: str = "now") -> Job:
        return asyncio.run(self.jobs.keep(job(lane=lane))).job

    def claimed(self) -> Job:
        claim = asyncio.run(self._claims.claim(self.keep().id))
        assert isinstance(claim, Job)
        return claim

    def done(self, claim: Job, at: str | None = None) -> Job | None:
        ending = self._endings.done(
            claim,
            result=json.dumps(RESULT),
            usage=USAGE,
            cost=123_000,
            stop_reason="end_turn",
            at=at,
        )
        return asyncio.run(ending)

    def failed(self, claim: Job, **more: Any) -> Job | None:
        ending = self._endings.failed(claim, type="api_error", message="zu groß", **more)
        return asyncio.run(ending)

    def twice(self) -> None:
        """Every write arrives, its answer is lost, and it is made again, as `Aws` does."""

        async def around(service: str, action: str, payload: Payload, do: Do) -> Any:
            if action == "UpdateItem":
                await do()
            return await do()

        self.around = around


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_an_answer_is_kept_with_all_that_its_owner_is_shown(desk: Desk) -> None:
    claim = desk.claimed()
    ended = desk.done(claim)
    row = desk.row(claim.id)
    assert ended is not None
    assert ended.item == row.item
    shown = row.to_json(row.to_result())
    assert shown["result"] == RESULT
    assert (shown["status"], shown["stop_reason"], shown["usage"]) == ("done", "end_turn", USAGE)
    assert shown["cost_usd"] == 0.000123
    assert shown["finished_at"] == "2026-11-24T12:00:00Z"
    assert row.listed == f"done#{row.place}"
    assert (row.lease, row.holder, row.result_at) == (None, None, None)


def test_a_large_answer_is_found_where_it_is(desk: Desk) -> None:
    claim = desk.claimed()
    assert desk.done(claim, at=f"results/{CLIENT}/{claim.id}.json") is not None
    row = desk.row(claim.id)
    assert (row.result, row.result_at) == (None, f"results/{CLIENT}/{claim.id}.json")


def test_the_time_is_utc_wherever_the_process_runs(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        claim = desk.claimed()
        desk.done(claim)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert desk.row(claim.id).finished == "2026-11-24T12:00:00Z"


def test_what_is_over_may_be_forgotten_after_so_many_days(desk: Desk) -> None:
    claim = desk.claimed()
    desk.done(claim)
    assert desk.row(claim.id).expires_at == NOW + 30 * 86_400


@pytest.mark.parametrize("status", [Status.FAILED, Status.DEAD])
def test_a_failure_has_words_for_its_owner_readable_in_the_row(desk: Desk, status: Status) -> None:
    claim = desk.claimed()
    ended = desk.failed(claim, status=status)
    assert ended is not None
    assert (ended.status, ended.listed) == (status, f"{status}#{ended.place}")
    assert ended.error == {"type": "api_error", "message": "zu groß"}
    assert "zu groß" in desk.row(claim.id).item["error"]["S"]


def test_a_job_fails_for_good_unless_it_is_said_otherwise(desk: Desk) -> None:
    ended = desk.failed(desk.claimed())
    assert ended is not None
    assert ended.status is Status.FAILED


def test_what_is_over_waits_for_no_batch_any_more(desk: Desk) -> None:
    for end in (desk.done, desk.failed):
        waiting = desk.keep("batch")
        assert waiting.waiting
        assert end(waiting) is not None
        assert desk.row(waiting.id).waiting is None


def test_a_failure_that_a_batch_must_tell_of_stays_listed_until_then(desk: Desk) -> None:
    waiting = desk.keep("batch")
    assert desk.failed(waiting, listed=True) is not None
    row = desk.row(waiting.id)
    assert (row.status, row.waiting) == (Status.FAILED, waiting.waiting)


def test_a_running_job_that_stays_listed_has_no_lease_any_more(desk: Desk) -> None:
    claim = desk.claimed()
    desk.failed(claim, listed=True)
    row = desk.row(claim.id)
    assert (row.lease, row.holder) == (None, None)


def test_an_end_whose_answer_was_lost_is_one(desk: Desk) -> None:
    done, failed = desk.claimed(), desk.claimed()
    desk.twice()
    ended = desk.done(done)
    assert ended is not None
    assert ended.item == desk.row(done.id).item
    ended = desk.failed(failed)
    assert ended is not None
    assert ended.item == desk.row(failed.id).item


def test_a_job_that_was_ended_otherwise_is_not_ended_again(desk: Desk) -> None:
    claim = desk.claimed()
    desk.failed(claim)
    before = desk.row(claim.id).item
    assert desk.done(claim) is None
    assert desk.row(claim.id).item == before


def test_a_claim_that_was_replaced_ends_nothing(desk: Desk) -> None:
    """Also where the other one has ended in the same way."""
    claim = desk.claimed()
    desk.change(claim.id, fence={"N": "2"})
    assert desk.done(claim) is None
    assert desk.row(claim.id).status is Status.RUNNING
    newer = desk.row(claim.id)
    assert desk.done(newer) is not None
    assert desk.done(claim) is None


def test_a_job_that_was_forgotten_is_not_brought_back(desk: Desk) -> None:
    claim = desk.claimed()
    del desk.dynamo.tables["jobs"].items[claim.id]
    assert desk.done(claim) is None
    assert desk.failed(claim) is None


def test_a_table_that_refuses_says_so(desk: Desk) -> None:
    claim = desk.claimed()
    del desk.dynamo.tables["jobs"]
    with pytest.raises(AwsUnreachable, match="the jobs table refused: ResourceNotFound"):
        desk.done(claim)
