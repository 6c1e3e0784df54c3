"""The real worker in a deployment in memory, for one test at a time."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from claude_core.jobs.job import Job
from claude_core.telemetry import Telemetry
from tests.faults.pace import run
from tests.faults.world import Quiet, Shape, World

Doing = Callable[[World], Coroutine[Any, Any, None]]
Call = Callable[[str, str, dict[str, Any]], Awaitable[None]]


def played(doing: Doing, *, crashes: bool = False, **shape: Any) -> World:
    """Play it to its end; nothing may have gone wrong that the worker's code does not expect."""
    world = run(Shape(seed=1, **{"longest_s": 2.0} | shape), doing)
    assert crashes or not world.telemetry.crashes
    return world


def the_job(world: World) -> Job:
    (item,) = (item for item in world.jobs_table.items.values() if "client" in item)
    return Job(item)


class Told(Quiet):
    """Writes, too, what an operator reads."""

    def __init__(self) -> None:
        super().__init__()
        self._real = Telemetry("worker")

    def answered(self, *args: Any, **more: Any) -> None:
        self._real.answered(*args, **more)

    def failed(self, *args: Any, **more: Any) -> None:
        self._real.failed(*args, **more)

    def crashed(self, incoming: Any, error: BaseException) -> None:
        super().crashed(incoming, error)
        self._real.crashed(incoming, error)


def before_calls(world: World, patch: pytest.MonkeyPatch, first: Call) -> None:
    """Do something that takes time before each call to AWS; or raise, in its place."""
    call = world.aws.call

    async def behind(service: str, target: str, payload: dict[str, Any], **more: Any) -> Any:
        await first(service, target.partition(".")[2], payload)
        return await call(service, target, payload, **more)

    patch.setattr(world.aws, "call", behind)
