"""Jobs of every fate in the batch lane; its function is killed, or broken, on the way."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from claude_core.jobs.job import Status
from tests.cloud.virtual import VirtualLoop
from tests.faults import batch_checks
from tests.faults.batch_checks import NOW
from tests.faults.batch_source import Source
from tests.faults.batch_world import BatchWorld, Shape

DONE, FAILED, CANCELLED = Status.DONE.value, Status.FAILED.value, Status.CANCELLED.value
Expected = dict[str, str]
SubmitAll = Callable[[BatchWorld], Awaitable[Expected]]


@dataclass(slots=True)
class Played:
    """A scenario that is over, and held."""

    world: BatchWorld
    sources: list[Source]
    expected: Expected = field(default_factory=dict)

    @property
    def steps(self) -> int:
        return self.sources[0].processes[0].steps

    @property
    def killed(self) -> bool:
        return self.sources[0].processes[0].dead


def play(
    submit: SubmitAll,
    shape: Shape | None = None,
    *,
    kill_at: int | None = None,
    sources: int = 1,
) -> Played:
    """Submit jobs, let the function work until its queue is empty, and check all that is promised.

    Args:
        kill_at: a step of the first process at which it is killed.
        sources: calls of the function at once.

    Raises:
        AssertionError: says what was broken.
    """
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    world = BatchWorld(shape or Shape(), loop)
    played = Played(world, [])

    async def run() -> None:
        played.expected = await submit(world)
        played.sources.extend(
            Source(world, kill_at=kill_at if at == 0 else None) for at in range(sources)
        )
        await asyncio.gather(*(source.run() for source in played.sources))
        batch_checks.check(world, played.expected)

    try:
        loop.run(run())
    finally:
        asyncio.set_event_loop(None)
        loop.close()
        for source in played.sources:
            for process in source.processes:
                process.bury()
    return played


async def of_every_fate(world: BatchWorld) -> Expected:
    """Jobs of three clients, and whatever can happen to them."""
    rich, modest, poor = world.client(), world.client(), world.client(budget=1_000_000)
    expected: Expected = {}
    for client, fates, wanted in (
        (rich, (), DONE),
        (modest, (), DONE),
        (modest, (), DONE),
        (rich, ("invalid",), FAILED),
        (modest, ("overloaded",), NOW),
        (rich, ("canceled",), CANCELLED),
        (modest, ("expired", "succeeded"), DONE),
        (rich, ("expired", "expired"), FAILED),
        (rich, ("long",), DONE),
        (poor, (), FAILED),
    ):
        expected[await world.submit(client, fates)] = wanted
    shared = "x" * 5_000
    for asked in (
        {"result_bucket": "copies"},
        {"content": "long " * 50_000},
        {"instruction": shared},
        {"instruction": shared},
    ):
        expected[await world.submit(rich, **asked)] = DONE
    unserved = await world.submit(rich)
    world.jobs_table.change(unserved, body={"S": '{"request": {"model": "claude-0"}}'})
    expected[unserved] = FAILED
    cancelled = await world.submit(modest)
    await world.cancel(cancelled)
    expected[cancelled] = CANCELLED
    return expected
