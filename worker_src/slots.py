"""How much a worker has in flight: jobs, their bytes, those of one client; and one job alone."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

SEEN_S = 60.0
"""A client that had a job so lately is one for whom others leave room."""


class Slots:
    """Counts what is in flight."""

    def __init__(self, *, jobs: int, bytes: int, now: Callable[[], float]) -> None:
        self._most_jobs, self._most_bytes, self._now = jobs, bytes, now
        self.jobs = self._bytes = self._waiting_alone = 0
        self._clients: Counter[str] = Counter()
        self._seen: dict[str, float] = {}
        self._changed = asyncio.Event()
        self._alone = asyncio.Lock()

    async def free(self, wanted: int, *, within_s: float) -> int:
        """How many jobs may be started: waits for one, and then a little for as many as wanted."""
        await self._wait(1)
        try:
            async with asyncio.timeout(within_s):
                await self._wait(min(wanted, self._most_jobs))
        except TimeoutError:
            await self._wait(1)
        return self._most_jobs - self.jobs

    async def _wait(self, free: int) -> None:
        while self._most_jobs - self.jobs < free or self._closed:
            self._changed.clear()
            await self._changed.wait()

    @property
    def _closed(self) -> bool:
        """Whether one job runs alone, or waits to."""
        return self._alone.locked() or self._waiting_alone > 0

    def fits(self, client: str, bytes: int) -> bool:
        """Whether one more job fits: memory is bounded, no client has all while others ask, and
        what a receive that was under way brings does not start beside a job that runs alone."""
        now = self._now()
        self._seen[client] = now
        if self._closed:
            return False
        if self.jobs and self._bytes + bytes > self._most_bytes:
            return False
        others = any(seen > now - SEEN_S for other, seen in self._seen.items() if other != client)
        return not others or self._clients[client] < self._most_jobs // 2

    def take(self, client: str, bytes: int) -> None:
        self.jobs += 1
        self._bytes += bytes
        self._clients[client] += 1

    def give_back(self, client: str, bytes: int) -> None:
        self.jobs -= 1
        self._bytes -= bytes
        self._clients[client] -= 1
        if not self._clients[client]:
            del self._clients[client]
        self._changed.set()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Nothing else runs inside, and nothing starts meanwhile: for what may kill the process."""
        self._waiting_alone += 1
        self._changed.set()
        try:
            await self._alone.acquire()
        finally:
            self._waiting_alone -= 1
        try:
            while self.jobs - self._waiting_alone > 1:
                self._changed.clear()
                await self._changed.wait()
            yield
        finally:
            self._alone.release()
            self._changed.set()
