"""What is waited for until a time, and goes on after it: its money is on the way, and is settled
before an answer's last byte leaves, since a function may be frozen after that."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Self, TypeVar

from claude_core.errors import DeadlinePassed

T = TypeVar("T")


class Late:
    """One question's."""

    def __init__(self) -> None:
        self._task: asyncio.Task[Any] | None = None

    async def by(self, deadline: float, asking: Coroutine[Any, Any, T]) -> T:
        """What comes of it until `deadline` (event loop's clock).

        Raises:
            DeadlinePassed: nothing yet.
        """
        task = asyncio.create_task(asking)
        self._task = task
        wait_s = deadline - asyncio.get_running_loop().time()
        try:
            done, _ = await asyncio.wait({task}, timeout=wait_s)
        except asyncio.CancelledError:
            task.cancel()
            raise
        if not done:
            raise DeadlinePassed("it goes on, and nobody waits for it")
        return task.result()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.over()

    async def over(self) -> None:
        """Wait for its end, whatever that is; at once, if it was not late."""
        if self._task:
            await asyncio.wait({self._task})
            if not self._task.cancelled():
                self._task.exception()  # told by then, or of no interest to anybody
