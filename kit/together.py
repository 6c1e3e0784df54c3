"""Many things at once, a few at a time; the first that fails ends the others."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

AT_ONCE = 16
Item = TypeVar("Item")


async def each(
    items: Iterable[Item], work: Callable[[Item], Awaitable[None]], *, at_once: int = AT_ONCE
) -> None:
    """Do `work` for every item; raises what the first failure raised."""
    turn = iter(items)

    async def worker() -> None:
        for item in turn:
            await work(item)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(worker())
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
