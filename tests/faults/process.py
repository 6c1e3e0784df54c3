"""A process that can be killed at any await: from then on none of its code runs, no `finally`.

Every task that it starts is stepped through here, so a kill falls between two steps of one of
them, as `kill -9` does; what it had asked of AWS or of Claude may still happen there.
"""

import asyncio
import contextvars
import warnings
from collections.abc import Coroutine, Generator
from contextlib import suppress
from typing import Any

CURRENT: "contextvars.ContextVar[Process | None]" = contextvars.ContextVar("process", default=None)


class Process:
    """One simulated process; `kill_at` is the step at which it is killed."""

    def __init__(self, name: str, *, kill_at: int | None = None) -> None:
        self.name, self.steps, self.dead = name, 0, False
        self._kill_at = kill_at
        self.died = asyncio.Event()
        self._coroutines: list[_Stepped] = []
        self.main: asyncio.Task[Any]
        self.in_hand: set[str] = set()
        """What it has been answered, and has not stored."""

    def start(self, doing: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run a coroutine as the main task of this process."""
        context = contextvars.copy_context()
        context.run(CURRENT.set, self)
        return asyncio.get_running_loop().create_task(doing, context=context)

    def kill(self) -> None:
        self.dead = True
        self.died.set()

    async def ended(self) -> None:
        """Wait until it has ended, or was killed; raises what its main task has raised."""
        died = asyncio.create_task(self.died.wait())
        await asyncio.wait([died, self.main], return_when=asyncio.FIRST_COMPLETED)
        died.cancel()
        if not self.dead:
            self.main.result()

    def step(self) -> bool:
        """Count one step of one task; whether it may be made."""
        self.steps += 1
        if self.steps == self._kill_at:
            self.kill()
        return not self.dead

    def bury(self) -> None:
        """Release what a dead process held, when its world has ended.

        A coroutine that was killed before its first step keeps its arguments when it is closed
        (Python 3.12 and later); among them may be coroutines that nobody will await any more. So
        each is dropped here too, not when the garbage collector comes to its task.
        """
        with warnings.catch_warnings(action="ignore"):
            for one in self._coroutines:
                with suppress(BaseException):
                    one.inner.close()
                del one.inner

    def wrapped(self, doing: Any) -> "_Stepped":
        stepped = _Stepped(self, doing)
        self._coroutines.append(stepped)
        return stepped

    def forget(self, one: "_Stepped") -> None:
        self._coroutines.remove(one)


class _Stepped(Coroutine[Any, Any, Any]):
    """A coroutine whose every step its process must allow."""

    def __init__(self, process: Process, inner: Coroutine[Any, Any, Any]) -> None:
        self._process, self.inner = process, inner

    def send(self, value: Any) -> Any:
        if not self._process.step():
            return _never()
        return self._go(self.inner.send, value)

    def throw(self, *error: Any) -> Any:
        if self._process.dead:
            raise asyncio.CancelledError
        self._process.steps += 1
        return self._go(self.inner.throw, *error)

    def close(self) -> None:
        if not self._process.dead:
            self.inner.close()

    @property
    def of_the_dead(self) -> bool:
        return self._process.dead

    def __await__(self) -> Generator[Any, Any, Any]:
        return self.inner.__await__()

    def _go(self, step: Any, *given: Any) -> Any:
        try:
            return step(*given)
        except BaseException:
            if self._process.dead:
                return _never()  # it was killed in this very step, and nobody is left to be told
            self._process.forget(self)
            raise


def _never() -> Any:
    future = asyncio.get_running_loop().create_future()
    future._asyncio_future_blocking = True
    return future


def task_factory(
    loop: asyncio.AbstractEventLoop, doing: Coroutine[Any, Any, Any], **more: Any
) -> asyncio.Task[Any]:
    """For `loop.set_task_factory`: tasks of a process are stepped, all others are as ever."""
    context = more.get("context")
    process = context.get(CURRENT) if context is not None else CURRENT.get()
    stepped = process.wrapped(doing) if process is not None else doing
    return asyncio.Task(stepped, loop=loop, **more)


def but_killed(loop: asyncio.AbstractEventLoop, said: dict[str, Any]) -> None:
    """What asyncio complains of, but for the tasks of processes that were killed."""
    task = said.get("task") or said.get("future")
    doing = task.get_coro() if isinstance(task, asyncio.Task) else None
    if not (isinstance(doing, _Stepped) and doing.of_the_dead):
        loop.default_exception_handler(said)
