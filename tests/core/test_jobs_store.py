"""A job is kept once under its Idempotency-Key, whoever races, and cancelled while it is queued."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_core.errors import AwsUnreachable, Conflict, KitError, NotFound
from claude_core.jobs.claims import Claims
from claude_core.jobs.intake import NewJob
from claude_core.jobs.job import ROW_BYTES, Job, Status
from claude_core.jobs.rows import Rows
from claude_core.jobs.store import Kept
from tests.cloud.cloud import Do
from tests.cloud.faults import losing
from tests.cloud.refusing import Payload, refused
from tests.core.jobs_cloud import CLIENT, OTHER, JobsCloud, job

LARGE = "x" * (ROW_BYTES + 1)


@pytest.fixture
def cloud() -> JobsCloud:
    return JobsCloud()


def test_what_is_kept_is_what_was_asked(cloud: JobsCloud) -> None:
    kept = asyncio.run(cloud.jobs.keep(job("hello", instruction="Translate", lane="batch")))
    row = cloud.row(kept.job.id)
    assert not kept.before
    assert cloud.asks(row.id) == {"doc": {"content": "hello", "instruction": "Translate"}}
    assert (row.status, row.lane, row.waiting, row.v) == ("queued", "batch", row.model, 1)
    assert (row.fence, row.attempts, row.crashes) == (0, 0, 0)
    assert row.item == kept.job.item


def test_a_body_too_large_for_a_row_is_in_the_bucket_before_the_row_is_there(
    cloud: JobsCloud,
) -> None:
    cloud.around = losing(lambda action: "before" if action == "PutObject" else None)
    with pytest.raises(AwsUnreachable):
        asyncio.run(cloud.jobs.keep(job(LARGE)))
    assert cloud.calls["dynamodb:PutItem"] == 0
    cloud.around = None
    kept = asyncio.run(cloud.jobs.keep(job(LARGE))).job
    assert (kept.body_json, kept.body_at.startswith(f"bodies/{CLIENT}/{kept.id}")) == (None, True)
    assert cloud.asks(kept.id) == {"doc": {"content": LARGE}}


RACERS = st.lists(
    st.tuples(st.sampled_from("ab"), st.sampled_from(["hello", "world", LARGE]), st.booleans()),
    min_size=1,
    max_size=8,
)


@given(racers=RACERS, seed=st.integers(0, 5))
def test_of_all_who_race_with_one_key_one_is_kept_and_the_rest_are_told_of_it_or_refused(
    racers: list[tuple[str, str, bool]], seed: int
) -> None:
    """Each is (key, content, whether the answer to its write is lost)."""
    cloud = JobsCloud()
    lost = iter([gone for _, _, gone in racers])

    async def around(service: str, action: str, payload: Payload, do: Do) -> Any:
        await asyncio.sleep(0)
        return await again(do) if action == "PutItem" and next(lost) else await do()

    async def again(do: Do) -> Any:
        """As `Aws` does where the first attempt arrived, and only its answer was lost."""
        await do()
        return await do()

    async def all_of_them() -> list[Kept | BaseException]:
        cloud.around = around
        keeping = (cloud.jobs.keep(job(content), key) for key, content, _ in racers)
        return await asyncio.gather(*keeping, return_exceptions=True)

    found = asyncio.run(all_of_them())
    table = cloud.dynamo.tables["jobs"].items
    assert len(table) == len({key for key, _, _ in racers})
    for (key, content, _), one in zip(racers, found, strict=True):
        (kept,) = {
            other.job.id
            for (its, _, _), other in zip(racers, found, strict=True)
            if its == key and isinstance(other, Kept)
        }
        asked = cloud.asks(kept)["doc"]["content"]
        assert isinstance(one, Kept if asked == content else Conflict)
    assert cloud.mistakes == []


@pytest.mark.parametrize(
    "other",
    [
        job("world"),
        job("hello", lane="batch"),
        job("hello", long=True),
        job("hello", instruction="Translate"),
        job("hello", model="fast"),
    ],
)
def test_one_key_is_for_one_job(cloud: JobsCloud, other: NewJob) -> None:
    first = asyncio.run(cloud.jobs.keep(job("hello"), "once")).job
    with pytest.raises(Conflict, match=first.id):
        asyncio.run(cloud.jobs.keep(other, "once"))
    assert cloud.asks(first.id) == {"doc": {"content": "hello"}}


def test_a_second_large_body_under_one_key_does_not_replace_the_first(cloud: JobsCloud) -> None:
    first = asyncio.run(cloud.jobs.keep(job(LARGE), "once")).job
    with pytest.raises(Conflict):
        asyncio.run(cloud.jobs.keep(job(LARGE + "!"), "once"))
    assert cloud.asks(first.id) == {"doc": {"content": LARGE}}


def test_jobs_without_a_key_are_as_many_as_they_are(cloud: JobsCloud) -> None:
    ids = {asyncio.run(cloud.jobs.keep(job())).job.id for _ in range(3)}
    assert len(ids) == 3


def test_a_key_is_its_clients_own(cloud: JobsCloud) -> None:
    mine = asyncio.run(cloud.jobs.keep(job(), "once")).job
    theirs = asyncio.run(cloud.jobs.keep(job(client=OTHER), "once"))
    assert (theirs.before, theirs.job.client) == (False, OTHER)
    assert theirs.job.id != mine.id


@pytest.mark.parametrize(
    "id",
    ["", "job_", "job_client_1_", "start#now", "job_client-2_" + "x" * 22, "x" * 5_000, "job_\0"],
)
def test_nobody_is_shown_a_row_that_is_no_job_of_theirs(cloud: JobsCloud, id: str) -> None:
    for asking in (cloud.jobs.get(CLIENT, id), cloud.jobs.cancel(CLIENT, id)):
        with pytest.raises(NotFound):
            asyncio.run(asking)
    assert not cloud.calls, "not even a read"


def test_a_cancelled_job_is_not_claimed_and_a_claimed_one_is_not_cancelled(
    cloud: JobsCloud,
) -> None:
    rows = Rows(cloud.aws, "jobs")
    claims = Claims(rows, holder="w", lease_s=120, now=lambda: cloud.now.timestamp())

    async def race(first: str) -> tuple[Job, object]:
        id = (await cloud.jobs.keep(job())).job.id
        if first == "cancel":
            await cloud.jobs.cancel(CLIENT, id)
            return cloud.row(id), await claims.claim(id)
        claimed = await claims.claim(id)
        with pytest.raises(Conflict, match="running"):
            await cloud.jobs.cancel(CLIENT, id)
        return cloud.row(id), claimed

    row, claimed = asyncio.run(race("cancel"))
    assert (row.status, row.body, isinstance(claimed, Job)) == (Status.CANCELLED, None, False)
    row, claimed = asyncio.run(race("claim"))
    assert (row.status, isinstance(claimed, Job)) == (Status.RUNNING, True)


def test_a_cancellation_whose_answer_was_lost_is_one(cloud: JobsCloud) -> None:
    id = asyncio.run(cloud.jobs.keep(job(lane="batch"))).job.id

    async def around(service: str, action: str, payload: Payload, do: Do) -> Any:
        if action == "UpdateItem":
            await do()
        return await do()

    cloud.around = around
    assert asyncio.run(cloud.jobs.cancel(CLIENT, id)).status is Status.CANCELLED
    assert asyncio.run(cloud.jobs.cancel(CLIENT, id)).status is Status.CANCELLED
    row = cloud.row(id)
    assert (row.waiting, row.finished[-1]) == (None, "Z")


@pytest.mark.parametrize("lost", ["GetItem", "UpdateItem", "PutItem", "PutObject", "GetObject"])
@pytest.mark.parametrize("how", ["down", "denied"])
def test_whatever_aws_says_the_caller_may_try_again(cloud: JobsCloud, lost: str, how: str) -> None:
    kept = asyncio.run(cloud.jobs.keep(job())).job
    cloud.change(kept.id, result_at={"S": "results/1"})

    async def around(service: str, action: str, payload: Payload, do: Do) -> Any:
        if action == lost:
            raise AwsUnreachable("down") if how == "down" else refused("AccessDenied", "denied")
        return await do()

    async def everything() -> None:
        await cloud.jobs.keep(job(LARGE))
        await cloud.jobs.result(await cloud.jobs.get(CLIENT, kept.id))
        await cloud.jobs.cancel(CLIENT, kept.id)

    if lost != "GetObject":
        cloud.s3.put("files", "results/1", b"{}")
    cloud.around = around
    with pytest.raises(KitError) as failed:
        asyncio.run(everything())
    assert (failed.value.status, failed.value.retry_helps) == (503, True)
