"""What is worked on is held, message and lease; what another has taken over is let go."""

import asyncio
import datetime as dt
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from claude_core.jobs.claims import Claims
from claude_core.jobs.job import Job
from claude_core.jobs.queue_message import Pointer
from claude_core.jobs.rows import Rows
from claude_core.jobs.sqs import Queue
from tests.cloud.cloud import Do
from tests.cloud.faults import losing
from tests.cloud.refusing import Payload, refused
from tests.cloud.virtual import VirtualLoop
from tests.core.jobs_cloud import CLIENT, JobsCloud, job
from worker_src.heart import AGAIN_S, Heart
from worker_src.run import Run

EVERY_S, VISIBILITY_S = 40.0, 120
LEASE, HIDE = "dynamodb:UpdateItem", "sqs:ChangeMessageVisibilityBatch"


class Body(JobsCloud):
    """A worker's runs, and its heart; the clock is moved by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.url = self.sqs.add("now", visibility_s=VISIBILITY_S)
        self.queue = self.sqs.queues[self.url]
        self.runs: list[Run] = []
        self.claims = self.of("one")
        self.heart = Heart(
            lambda: self.runs,
            claims=self.claims,
            queue=Queue(self.aws, self.url),
            every_s=EVERY_S,
            visibility_s=VISIBILITY_S,
            now=self.seconds,
        )

    def of(self, holder: str) -> Claims:
        rows = Rows(self.aws, "jobs")
        return Claims(rows, holder=holder, lease_s=VISIBILITY_S, now=self.seconds)

    def seconds(self) -> float:
        return self.now.timestamp()

    def wait(self, seconds: float) -> None:
        self.now += dt.timedelta(seconds=seconds)

    async def begin(self, *, claimed: bool = True) -> Run:
        """A run of a new job that has just begun."""
        new = (await self.jobs.keep(job())).job
        pointer = Pointer(new.id, CLIENT, new.model, new.bytes)
        queue = Queue(self.aws, self.url)
        await queue.send([pointer.to_text()], group=CLIENT)
        (message,) = await queue.receive(1, wait_s=0, visibility_s=VISIBILITY_S)
        now = self.seconds()
        run = Run(message, pointer, beaten=now, held_until=now + VISIBILITY_S)
        if claimed:
            claim = await self.claims.claim(new.id)
            assert isinstance(claim, Job)
            run.claim = claim
        self.runs.append(run)
        return run

    async def beats(self) -> tuple[int, int]:
        """Beat once: how many leases were written, and how many requests hid messages."""
        before = self.calls.copy()
        await self.heart.beat()
        made = self.calls - before
        return made[LEASE], made[HIDE]

    def visible(self) -> int:
        return self.queue.counts()[0]


@pytest.fixture
def body() -> Body:
    return Body()


def lease_of(body: Body, run: Run) -> int:
    return int(body.row(run.pointer.job).lease)


def test_what_was_not_held_for_a_while_is_held_for_another_while(body: Body) -> None:
    async def go() -> None:
        run = await body.begin()
        body.wait(EVERY_S - 0.1)
        assert await body.beats() == (0, 0)
        body.now = dt.datetime.fromtimestamp(run.beaten + EVERY_S, dt.UTC)
        assert await body.beats() == (1, 1)
        assert lease_of(body, run) == int(body.seconds()) + VISIBILITY_S
        assert run.held_until == pytest.approx(body.seconds() + VISIBILITY_S, abs=0.01)
        assert await body.beats() == (0, 0), "once a round"
        body.wait(VISIBILITY_S - 1)
        assert body.visible() == 0
        body.wait(2)
        assert body.visible() == 1

    asyncio.run(go())


def test_many_are_held_ten_messages_a_request_and_none_is_left_out(body: Body) -> None:
    async def go() -> None:
        for _ in range(25):
            await body.begin()
        body.wait(EVERY_S)
        assert await body.beats() == (25, 3)
        body.wait(VISIBILITY_S - 1)
        assert body.visible() == 0

    asyncio.run(go())


def test_who_has_not_claimed_yet_holds_its_message_alone(body: Body) -> None:
    async def go() -> None:
        await body.begin(claimed=False)
        body.wait(EVERY_S)
        assert await body.beats() == (0, 1)

    asyncio.run(go())


def test_whose_claim_was_taken_over_is_cancelled_and_leaves_the_message_to_the_other(
    body: Body,
) -> None:
    async def go() -> None:
        run, other = await body.begin(), await body.begin()
        run.task = asyncio.create_task(asyncio.sleep(1_000))
        other.task = asyncio.create_task(asyncio.sleep(1_000))
        await asyncio.sleep(0)
        body.change(run.pointer.job, fence={"N": "2"})
        before = body.row(run.pointer.job).item
        body.wait(EVERY_S)
        await body.beats()
        await asyncio.wait([run.task])
        assert (run.lost, run.task.cancelled()) == (True, True)
        assert (other.lost, other.task.done()) == (False, False)
        assert body.row(run.pointer.job).item == before
        body.wait(VISIBILITY_S - EVERY_S + 1)
        assert body.visible() == 1
        other.task.cancel()

    asyncio.run(go())


def test_a_run_that_ends_while_its_lease_is_renewed_is_not_lost(body: Body) -> None:
    async def go() -> None:
        run = await body.begin()

        async def around(service: str, action: str, payload: Payload, do: Do) -> Any:
            if action == "UpdateItem" and run.claim is not None:
                claim, run.claim = run.claim, None
                await body.claims.release(claim, counts=False)
            return await do()

        body.around = around
        body.wait(EVERY_S)
        await body.beats()
        assert not run.lost

    asyncio.run(go())


def fail_leases(body: Body) -> None:
    body.around = losing(lambda action: "before" if action == "UpdateItem" else None)


def fail_hides(body: Body) -> None:
    body.around = losing(lambda action: "before" if action.startswith("Change") else None)


def refuse_hides(body: Body) -> None:
    async def around(service: str, action: str, payload: Payload, do: Do) -> Any:
        if action.startswith("Change"):
            raise refused("AccessDenied", "not allowed")
        return await do()

    body.around = around


@pytest.mark.parametrize("fail", [fail_leases, fail_hides, refuse_hides])
def test_a_beat_that_failed_is_made_again_soon_and_ends_nothing(
    body: Body, fail: Callable[[Body], None]
) -> None:
    async def go() -> None:
        run = await body.begin()
        body.wait(EVERY_S)
        fail(body)
        await body.beats()
        body.around = None
        assert not run.lost
        body.wait(AGAIN_S - 1)
        assert await body.beats() == (0, 0)
        body.wait(1.1)
        assert await body.beats() == (1, 1)
        assert lease_of(body, run) == int(body.seconds()) + VISIBILITY_S
        body.wait(VISIBILITY_S - 1)
        assert body.visible() == 0

    asyncio.run(go())


def test_it_looks_often_enough_for_leases_that_are_short(body: Body) -> None:
    loop, looked = VirtualLoop(), list[float]()

    def runs() -> list[Run]:
        looked.append(loop.time())
        return []

    heart = Heart(
        runs,
        claims=body.claims,
        queue=Queue(body.aws, body.url),
        every_s=4.0,
        visibility_s=12,
        now=loop.clock,
    )

    async def go() -> None:
        beating = asyncio.create_task(heart.beat_for_ever())
        await asyncio.sleep(20)
        beating.cancel()

    loop.run(go())
    loop.close()
    assert max(later - at for at, later in pairwise(looked)) <= 1.0
