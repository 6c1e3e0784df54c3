"""A world for one test: what is done in it, and then every worker drained."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from tests.cloud.virtual import VirtualLoop
from tests.faults.world import Shape, World


def run(shape: Shape, doing: Callable[[World], Coroutine[Any, Any, None]]) -> World:
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    world = World(shape, loop)

    async def played() -> None:
        await doing(world)
        for built in world.built:
            built.worker.drain()
        await asyncio.gather(*(process.ended() for process in world.processes))

    try:
        loop.run(played())
    finally:
        asyncio.set_event_loop(None)
        loop.close()
        crashes = world.telemetry.crashes.copy()
        for process in world.processes:
            process.bury()
        world.telemetry.crashes = crashes  # nobody hears what killed ones say at their burial
    return world
