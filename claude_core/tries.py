"""Calls of Claude with the key, each within a deadline, tried again where `retry.py` says so."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from claude_core import errors
from claude_core.retry import RetryBudget
from claude_core.secret import Secret

T = TypeVar("T")

UNSENT = "there was no time left to ask Claude: its key was not read in time; try again"
LATE = "Claude did not answer in the time that this route has; ask for less, or stream"


class Tries:
    """Those of one process."""

    def __init__(self, secret: Secret, retries: RetryBudget) -> None:
        self._secret, self._retries = secret, retries

    async def within(
        self, deadline: float, once: Callable[[str], Awaitable[T]], *, retried: bool = True
    ) -> tuple[T, int]:
        """What `once` gives with the key, and how often it was tried."""
        tried: list[None] = []
        try:
            async with asyncio.timeout_at(deadline):
                return await self._repeat(deadline, once, tried, retried), len(tried)
        except TimeoutError as err:
            failed = errors.DeadlinePassed(LATE if tried else UNSENT)
            failed.attempts = len(tried)
            failed.may_be_billed = bool(tried)
            raise failed from err
        except errors.KitError as err:
            err.attempts = len(tried)
            raise

    async def _repeat(
        self,
        deadline: float,
        once: Callable[[str], Awaitable[T]],
        tried: list[None],
        retried: bool,
    ) -> T:
        self._retries.earn()
        key, attempt, renewed = await self._secret.get(), 0, False
        while True:
            attempt += 1
            tried.append(None)
            try:
                return await once(key)
            except errors.KeyRejected:
                if renewed:
                    raise
                fresh = await self._secret.refresh(rejected=key)
                if fresh == key:
                    raise
                key, attempt, renewed = fresh, 0, True
            except errors.UpstreamFailed as err:
                left = deadline - asyncio.get_running_loop().time()
                wait = self._retries.delay(err, attempt, left) if retried else None
                if wait is None:
                    raise
                await asyncio.sleep(wait)
