"""Every call of a simulated process, to AWS and to Claude, by its number: one of them may fail."""

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from tests.cloud.cloud import Do
from tests.cloud.refusing import Payload, unreachable
from tests.faults.process import CURRENT


class Failpoints:
    """Counts the calls, and breaks those that it is told to."""

    def __init__(
        self,
        rand: random.Random,
        *,
        break_at: tuple[int, str] | None = None,
        outage_s: float = 0.0,
        trouble: float = 0.0,
        latency_s: float = 0.002,
    ) -> None:
        """
        Args:
            latency_s: before a call is done, and after: each is an await to be killed at.
            break_at: a call, and "before" it is done or "after".
            outage_s: for so long from then on all of AWS is down.
            trouble: share of all calls that fail, half of them after they were done.
        """
        self.calls = 0
        self._rand, self._break_at, self._outage_s = rand, break_at, outage_s
        self._trouble, self._latency_s, self._down_until = trouble, latency_s, 0.0

    def slow(self, latency_s: float) -> None:
        """Make every call so slow from now on."""
        self._latency_s = latency_s

    @asynccontextmanager
    async def call(self, lost: Exception) -> AsyncGenerator[None]:
        """Around a call; `lost` is how it fails."""
        how = self._next()
        await asyncio.sleep(self._latency_s)
        if how == "before":
            raise lost
        yield
        await asyncio.sleep(self._latency_s)
        if how == "after":
            raise lost

    async def around(self, service: str, action: str, payload: Payload, do: Do) -> Any:
        """The same for `Cloud.around`."""
        async with self.call(unreachable(service)):
            now = asyncio.get_running_loop().time()
            if now < self._down_until:
                raise unreachable(service)
            return await do()

    def _next(self) -> str | None:
        if CURRENT.get() is None:
            return None
        self.calls += 1
        if self._trouble and self._rand.random() < self._trouble:
            return self._rand.choice(("before", "after"))
        if self._break_at is None or self._break_at[0] != self.calls:
            return None
        if self._outage_s:
            self._down_until = asyncio.get_running_loop().time() + self._outage_s
        return self._break_at[1]
