"""Pages of a client's jobs: each job exactly once over all of them, the newest first."""

import asyncio
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from claude_core.errors import InvalidRequest, KitError
from claude_core.jobs import listing as module
from claude_core.jobs.job import Job, Status
from claude_core.jobs.listing import Page
from claude_core.models import NANO
from tests.cloud.cloud import Do
from tests.cloud.refusing import Payload, refused
from tests.core.jobs_cloud import CLIENT, OTHER, JobsCloud, job

Made = list[tuple[str, Status]]
MADE = st.lists(st.tuples(st.sampled_from([CLIENT, OTHER]), st.sampled_from(Status)), max_size=25)


def shelved(cloud: JobsCloud, client: str, status: Status) -> Job:
    """A job of a status, at its place in the index."""
    made = asyncio.run(cloud.jobs.keep(job(client=client))).job
    move(cloud, made, status)
    return cloud.row(made.id)


def move(cloud: JobsCloud, made: Job, status: Status) -> None:
    listed = {"S": f"{status.shelf}#{made.place}"}
    cloud.change(made.id, status={"S": status.value}, listed=listed)


def pages(cloud: JobsCloud, limit: int, status: str | None = None) -> list[Page]:
    """Every page, from the first to the last."""
    found = [asyncio.run(cloud.listing.page(CLIENT, status=status, limit=limit))]
    while after := found[-1].next:
        page = cloud.listing.page(CLIENT, status=status, limit=limit, after=after)
        found.append(asyncio.run(page))
        assert found[-1].next != after, "a page that leads to itself"
    return found


@given(
    made=MADE,
    limit=st.integers(1, 30),
    status=st.sampled_from([None, *(one.value for one in Status)]),
)
@example(made=[(CLIENT, Status.QUEUED)] * 12 + [(CLIENT, Status.RUNNING)], limit=1, status=None)
@example(made=[(CLIENT, status) for status in Status] * 3, limit=1, status=None)
@example(made=[(CLIENT, Status.DONE)] * 4, limit=2, status="done")
def test_every_job_is_on_one_page_once_and_the_newest_come_first(
    made: Made, limit: int, status: str | None
) -> None:
    cloud = JobsCloud()
    jobs = [shelved(cloud, client, its) for client, its in made]
    wanted = [one.id for one in jobs if one.client == CLIENT and status in (None, one.status)][::-1]
    found = pages(cloud, limit, status)
    assert [one.id for page in found for one in page.jobs] == wanted
    assert all(len(page.jobs) <= limit for page in found)


@given(
    made=st.lists(st.sampled_from(Status), min_size=1, max_size=25),
    limit=st.integers(1, 5),
    at_once=st.integers(2, 4),
    queries=st.integers(1, 2),
    status=st.sampled_from([None, *(one.value for one in Status)]),
)
def test_few_among_many_are_found_though_one_request_reads_only_so_far(
    made: list[Status], limit: int, at_once: int, queries: int, status: str | None
) -> None:
    cloud = JobsCloud()
    jobs = [shelved(cloud, CLIENT, its) for its in made]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "READ_ON", at_once)
        patch.setattr(module, "PAGES", queries)
        found = pages(cloud, limit, status)
    wanted = [one.id for one in jobs if status in (None, one.status)][::-1]
    assert [one.id for page in found for one in page.jobs] == wanted


@pytest.mark.parametrize("which", [0, 4, 9])
@pytest.mark.parametrize("when", range(len(module.SHELVES)))
def test_a_job_that_ends_while_a_page_is_read_is_on_it_once(which: int, when: int) -> None:
    cloud = JobsCloud()
    jobs = [shelved(cloud, CLIENT, Status.RUNNING) for _ in range(10)]
    queries = iter(range(100))

    async def around(service: str, action: str, payload: Payload, do: Do) -> Any:
        if next(queries) == when:
            move(cloud, jobs[which], Status.DONE)
        return await do()

    cloud.around = around
    page = asyncio.run(cloud.listing.page(CLIENT))
    assert [one.id for one in page.jobs] == [one.id for one in jobs][::-1]


def test_jobs_that_come_and_end_between_pages_move_no_other_off_them() -> None:
    cloud = JobsCloud()
    jobs = [shelved(cloud, CLIENT, Status.QUEUED) for _ in range(6)]
    first = asyncio.run(cloud.listing.page(CLIENT, limit=3))
    shelved(cloud, CLIENT, Status.QUEUED)
    for one in jobs:
        move(cloud, one, Status.DONE)
    second = asyncio.run(cloud.listing.page(CLIENT, limit=3, after=first.next))
    found = [one.id for page in (first, second) for one in page.jobs]
    assert found == [one.id for one in jobs][::-1]


def test_a_listed_job_is_shown_without_what_it_asks_and_says() -> None:
    cloud = JobsCloud()
    one = shelved(cloud, CLIENT, Status.DONE)
    cloud.change(one.id, result={"S": "{}"}, cost={"N": str(NANO)}, stop_reason={"S": "end_turn"})
    ((shown,),) = [page.jobs for page in pages(cloud, 5)]
    assert shown.body is None
    told = shown.to_json()
    assert (told["cost_usd"], told["stop_reason"], told["doc_id"]) == (1.0, "end_turn", "a")
    assert "result" not in told


@pytest.mark.parametrize(
    "asked",
    [
        {"status": "open"},
        {"limit": 0},
        {"limit": 101},
        {"after": ""},
        {"after": "2026"},
        {"after": "~"},
        {"after": "2026-11-24T12:00:00.000001Z#abcdef\n"},
    ],
)
def test_what_is_no_page_is_refused_before_anything_is_read(asked: dict[str, Any]) -> None:
    cloud = JobsCloud()
    with pytest.raises(InvalidRequest, match=next(iter(asked))):
        asyncio.run(cloud.listing.page(CLIENT, **asked))
    assert not cloud.calls


def test_an_index_that_refuses_is_a_503() -> None:
    cloud = JobsCloud()

    async def around(service: str, action: str, payload: Payload, do: Do) -> Any:
        raise refused("AccessDeniedException", "denied")

    cloud.around = around
    with pytest.raises(KitError) as failed:
        asyncio.run(cloud.listing.page(CLIENT))
    assert failed.value.status == 503
