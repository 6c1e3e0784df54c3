"""How a worker keeps Claude's limits: full, not broken; and how many share them fairly."""

import asyncio

import pytest

from claude_core.jobs.job import Job, Status
from claude_core.jobs.queue_message import Pointer
from claude_core.jobs.sqs import TOGETHER
from tests.faults.claude import Faults
from tests.faults.pace import run
from tests.faults.world import Shape, World


def test_half_of_all_calls_refused_makes_no_call_more_than_its_job_has_claims() -> None:
    async def work(world: World) -> None:
        client = world.client()
        ids = [await world.submit(client, f"job-{at}") for at in range(300)]
        world.worker()
        world.worker()
        assert not await world.until_over(ids, hours=24)

    world = run(Shape(seed=5, faults=Faults(overloaded=0.5), slots=50, longest_s=5.0), work)
    started = world.telemetry.counts["calls_started"]
    assert world.claude.calls <= 1.1 * started
    assert all(
        Job(item).status is Status.DONE
        for item in world.jobs_table.items.values()
        if "client" in item
    )


@pytest.mark.parametrize("workers", [1, 3])
def test_a_limit_is_kept_full_and_hardly_ever_broken(workers: int) -> None:
    per_minute, minutes = 120, 8

    async def work(world: World) -> None:
        client = world.client()
        for at in range(per_minute * minutes):
            await world.submit(client, f"job-{at}")
        for _ in range(workers):
            world.worker()
        await asyncio.sleep(minutes * 60)
        world.full = sum(world.claude.billed.values())

    world = run(Shape(seed=6, slots=100, longest_s=10.0, per_minute=per_minute), work)
    full = world.full / (per_minute * minutes)
    broken = world.claude.refused / world.claude.calls
    assert full > 0.8, f"{full:.0%} of the limit was used"
    assert broken < 0.1, f"{broken:.0%} of the calls were refused"


@pytest.mark.sweep
def test_a_hundred_thousand_jobs_of_one_do_not_starve_ten_of_another() -> None:
    many = 100_000

    async def work(world: World) -> None:
        big, small = world.client(), world.client()
        pattern = await world.submit(big, "pattern")
        item = world.jobs_table.items[pattern]
        for at in range(many):
            id = f"{pattern[:-6]}{at:06d}"
            world.jobs_table.items[id] = item | {"id": {"S": id}}
            pointer = Pointer(id, big, item["model"]["S"], 100).to_text()
            world.sqs.queues[world.settings.now_queue].send(pointer, big, {}, 0)
        world.worker()
        world.worker()
        await asyncio.sleep(120)  # of virtual time: both are full
        began = world.loop.time()
        ids = [await world.submit(small, f"small-{at}") for at in range(TOGETHER)]
        assert not await world.until_over(ids, hours=1, messages=False)
        world.full = world.loop.time() - began
        assert world.claude.billed.total() > 100

    world = run(Shape(seed=7, slots=200, longest_s=20.0), work)
    assert world.full < 60, f"the ten took {world.full:.0f} s"
