"""Trying again while AWS does not answer."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from claude_core.errors import AwsUnreachable

T = TypeVar("T")
FIRST_S, LONGEST_S = 0.2, 5.0
"""Between two tries."""


async def insist(do: Callable[[], Awaitable[T]], *, seconds: float) -> T:
    """What `do` gives, which is made anew for each try.

    Raises:
        AwsUnreachable: it gave nothing in all that time.
    """
    loop = asyncio.get_running_loop()
    end, wait = loop.time() + seconds, FIRST_S
    while True:
        try:
            return await do()
        except AwsUnreachable:
            if loop.time() + wait > end:
                raise
        await asyncio.sleep(wait)
        wait = min(LONGEST_S, wait * 2)
