"""The same done for many things, some of them at once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")
AT_ONCE = 32


async def each(
    things: AsyncIterator[T] | Iterable[T],
    do: Callable[[T], Awaitable[object]],
    *,
    at_once: int = AT_ONCE,
) -> None:
    """Await `do` for each; of what comes slowly, or is much, only so many are held at a time.

    Raises:
        One of the errors, when all that had begun have ended; nothing is begun after it.
    """
    running = set[asyncio.Task[object]]()
    failed: list[BaseException] = []

    async def until(most: int) -> None:
        nonlocal running
        while len(running) > most:
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            failed.extend(error for task in done if (error := task.exception()))

    try:
        async for thing in things if isinstance(things, AsyncIterator) else _coming(things):
            running.add(asyncio.create_task(_do(do, thing)))
            await until(at_once - 1)
            if failed:
                break
    finally:
        await until(0)
    if failed:
        raise failed[0]


async def _do(do: Callable[[T], Awaitable[object]], thing: T) -> object:
    """Call `do` inside of its task: a task that is cancelled before its first step has made
    nothing then that should have been awaited."""
    return await do(thing)


async def _coming(things: Iterable[T]) -> AsyncIterator[T]:
    for thing in things:
        yield thing
