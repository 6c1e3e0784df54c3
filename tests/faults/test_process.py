"""The killing of a simulated process: what it leaves behind is its own, and warns nobody."""

import asyncio
import gc
import warnings
from typing import Any, cast

from tests.cloud.virtual import VirtualLoop
from tests.faults.process import Process, but_killed, task_factory


def test_coroutine_held_by_a_task_killed_before_its_first_step_is_released_by_bury() -> None:
    async def called() -> None: ...

    async def call(doing: Any) -> None:
        await doing

    async def main() -> None:
        tasks.append(asyncio.create_task(call(called())))
        await asyncio.sleep(60)

    async def played() -> None:
        process.main = process.start(main())
        await process.ended()

    tasks = list[asyncio.Task[None]]()
    loop, process = VirtualLoop(), Process("killed", kill_at=2)  # the second step is the call's
    loop.set_task_factory(cast(Any, task_factory))
    loop.set_exception_handler(but_killed)
    loop.run(played())
    loop.close()
    assert process.dead
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        process.bury()
        tasks.clear()
        gc.collect()
    assert [str(one.message) for one in warned] == []
