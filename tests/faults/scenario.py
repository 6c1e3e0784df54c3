"""One seed: many jobs, workers that are killed and come back, an AWS and a Claude that fail."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass

from tests.cloud.virtual import VirtualLoop
from tests.faults import checks
from tests.faults.claude import POISON, Faults
from tests.faults.process import Process
from tests.faults.world import Shape, World

HOURS = 48.0
"""Of virtual time, after which what is still open is lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What happens in a world."""

    shape: Shape
    jobs: int
    workers: int = 3
    poison: int = 0
    kill_every_s: float | None = None
    """One of the workers, on average so often; it comes back."""
    drain_every_s: float | None = None
    """The same by SIGTERM."""
    quiet_after_s: float = 600.0
    """From then on nobody kills."""
    kill_at: int | None = None
    """A step of the first worker at which it is killed."""


def by_seed(seed: int, jobs: int) -> Scenario:
    """Twenty percent of faults and crashes, in another mixture for each seed."""
    rand = random.Random(f"scenario {seed}")
    parts = [rand.random() for _ in range(5)]
    parts[3] /= 4  # an answer that is lost may be billed: it is one of a job's five attempts
    share = [0.2 * part / sum(parts) for part in parts]
    longest_s = rand.choice((2.0, 20.0, 200.0))
    return Scenario(
        shape=Shape(
            seed=seed,
            trouble=rand.choice((0.0, 0.02, 0.2)),
            faults=Faults(
                overloaded=share[0],
                rate_limited=share[1],
                broken=share[2],
                reset=share[3],
                unsent=share[4],
            ),
            duplicates=0.1,
            slots=rand.choice((5, 20, 60)),
            longest_s=longest_s,
        ),
        jobs=jobs,
        poison=rand.choice((0, 0, 1, 2)),
        # More often, and no worker would live through its jobs: those are dead by right.
        kill_every_s=rand.choice((None, 1.5 * longest_s, 6 * longest_s)),
        drain_every_s=rand.choice((None, 45.0)),
    )


def play(scenario: Scenario) -> World:
    """Run a scenario to its end, and check all that was promised.

    Raises:
        AssertionError: says what was broken.
    """
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    world = World(scenario.shape, loop)
    try:
        loop.run(_played(scenario, world))
    finally:
        asyncio.set_event_loop(None)
        loop.close()
        for process in world.processes:
            process.bury()
    return world


async def _played(scenario: Scenario, world: World) -> None:
    rand = random.Random(f"play {scenario.shape.seed}")
    clients = [world.client(), world.client()]
    ids = {}
    for at in range(scenario.jobs):
        poisoned = at < scenario.poison
        content = f"{POISON if poisoned else 'job'}-{at}"
        ids[await world.submit(rand.choice(clients), content)] = content
    workers = [world.worker(kill_at=scenario.kill_at)]
    workers += [world.worker() for _ in range(scenario.workers - 1)]
    keeping = [asyncio.create_task(_kept(world, workers, at)) for at in range(len(workers))]
    for every, end in ((scenario.kill_every_s, _kill), (scenario.drain_every_s, _drain)):
        if every is not None:
            quiet = scenario.quiet_after_s
            keeping.append(asyncio.create_task(_meddle(world, workers, rand, every, quiet, end)))
    open_jobs = await world.until_over(list(ids), hours=HOURS)
    for task in keeping:
        task.cancel()
    await asyncio.gather(*keeping, return_exceptions=True)
    for process, built in zip(world.processes, world.built, strict=True):
        if not process.dead and not process.main.done():
            built.worker.drain()
    await asyncio.gather(*(process.ended() for process in world.processes))
    checks.check(world, ids, open_jobs)


async def _kept(world: World, workers: list[Process], at: int) -> None:
    """As ECS does: a worker that has ended is replaced."""
    while True:
        await workers[at].ended()
        await asyncio.sleep(5.0)
        workers[at] = world.worker()


def _kill(world: World, process: Process) -> None:
    process.kill()


def _drain(world: World, process: Process) -> None:
    world.built[world.processes.index(process)].worker.drain()


async def _meddle(
    world: World,
    workers: list[Process],
    rand: random.Random,
    every_s: float,
    quiet_after_s: float,
    end: Callable[[World, Process], None],
) -> None:
    while world.loop.time() < quiet_after_s:
        await asyncio.sleep(rand.expovariate(1 / every_s))
        end(world, rand.choice(workers))
