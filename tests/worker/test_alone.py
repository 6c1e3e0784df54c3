"""A job that may be what ended its workers: nothing runs beside it, and it is blamed for nothing
else."""

import asyncio

from claude_core.jobs.job import Status
from tests.faults.world import World
from tests.worker.playing import played


async def suspect(world: World, client: str, content: str = "suspect", *, crashes: int = 2) -> str:
    """A job that was running when workers ended, so many times."""
    known = set(world.jobs_table.items)
    submitting = asyncio.create_task(world.submit(client, content))
    for _ in range(100):
        await asyncio.sleep(0.001)
        if new := set(world.jobs_table.items) - known:  # and its message is not sent yet
            world.jobs_table.change(new.pop(), crashes={"N": str(crashes)})
            break
    return await submitting


def flying(world: World, ids: list[str]) -> int:
    return sum(world.job(id).status is Status.RUNNING for id in ids)


def test_it_waits_unclaimed_until_the_one_job_beside_it_has_ended() -> None:
    async def work(world: World) -> None:
        client = world.client()
        world.claude.takes = lambda: 30.0
        other = await world.submit(client, "other")
        world.worker()
        await asyncio.sleep(3.0)
        id = await suspect(world, client)
        await asyncio.sleep(10.0)
        waiting = world.job(id)
        assert (waiting.status, waiting.attempts, waiting.lease) == (Status.QUEUED, 0, None)
        for _ in range(300):
            await asyncio.sleep(0.1)
            if world.job(other).status is Status.DONE:
                break
        await asyncio.sleep(1.0)
        assert world.job(id).status is Status.RUNNING, "it begins as soon as it may"
        assert not await world.until_over([id, other], hours=1)
        assert (world.job(id).attempts, world.job(id).crashes) == (1, 2)

    assert played(work).claude.calls == 2


def test_while_it_runs_nothing_else_does_or_begins() -> None:
    async def work(world: World) -> None:
        client = world.client()
        world.claude.takes = lambda: 30.0
        id = await suspect(world, client)
        world.worker()
        await asyncio.sleep(3.0)
        others = [await world.submit(client, f"job-{at}") for at in range(5)]
        for _ in range(50):
            await asyncio.sleep(0.5)
            assert flying(world, [id]) == 1
            assert not flying(world, others)
        assert not await world.until_over([id, *others], hours=1)
        jobs = [world.job(one) for one in (id, *others)]
        assert [(job.attempts, job.fence) for job in jobs] == [(1, 1)] * 6, "it claimed just once"

    played(work)


def test_several_of_them_run_one_after_another() -> None:
    async def work(world: World) -> None:
        client = world.client()
        world.claude.takes = lambda: 10.0
        ids = [await suspect(world, client, f"job-{at}", crashes=2 + at) for at in range(4)]
        world.worker()
        for _ in range(200):
            await asyncio.sleep(0.5)
            assert flying(world, ids) <= 1
        assert not await world.until_over(ids, hours=1)
        assert [world.job(id).attempts for id in ids] == [1] * 4

    played(work)


def test_a_job_that_one_worker_ended_with_is_none_of_them() -> None:
    async def work(world: World) -> None:
        client = world.client()
        world.claude.takes = lambda: 30.0
        id = await suspect(world, client, crashes=1)
        other = await world.submit(client, "other")
        world.worker()
        await asyncio.sleep(5.0)
        assert flying(world, [id, other]) == 2
        assert not await world.until_over([id, other], hours=1)

    played(work)


def test_one_that_is_cancelled_while_it_waits_is_not_asked_for() -> None:
    async def work(world: World) -> None:
        client = world.client()
        world.claude.takes = lambda: 30.0
        other = await world.submit(client, "other")
        world.worker()
        await asyncio.sleep(3.0)
        id = await suspect(world, client)
        await asyncio.sleep(3.0)
        world.jobs_table.change(id, status={"S": Status.CANCELLED.value})
        assert not await world.until_over([id, other], hours=1)

    world = played(work)
    assert world.claude.calls == 1
    assert len(world.aws.events) == 2, "its end is told, too"


def test_a_drain_gives_one_that_waits_back_at_once() -> None:
    async def work(world: World) -> None:
        client = world.client()
        world.claude.takes = lambda: 800.0
        await world.submit(client, "other")
        process = world.worker()
        await asyncio.sleep(3.0)
        id = await suspect(world, client)
        await asyncio.sleep(3.0)
        world.built[0].worker.drain()
        await process.ended()
        assert world.job(id).attempts == 0
        visible, flying, _ = world.sqs.queues[world.settings.now_queue].counts()
        assert (visible, flying) == (2, 0)

    played(work)
