"""Many jobs of one client at once, kept and sent: for files, whose senders nobody can ask to wait.

A table that is throttled by them is waited for.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from claude_core.errors import AwsUnreachable, Conflict
from claude_core.jobs.intake import NewJob
from claude_core.jobs.sending import Sending, unsent
from claude_core.jobs.store import Jobs, Kept

T = TypeVar("T")
AT_ONCE = 25
WAITS_S = (0.2, 1.0, 3.0, 5.0)


class Accepting:
    """Raises AwsUnreachable: some were not kept, or not sent; the same ones may be given again."""

    def __init__(self, jobs: Jobs, sending: Sending) -> None:
        self._jobs, self._sending = jobs, sending

    async def accept(self, asked: Sequence[tuple[NewJob, str]]) -> list[Kept | Conflict]:
        """Keep and send jobs, each with its Idempotency-Key; a Conflict where another has it."""
        slots = asyncio.Semaphore(AT_ONCE)

        async def keep(new: NewJob, key: str) -> Kept | Conflict:
            async with slots:
                try:
                    return await _patiently(lambda: self._jobs.keep(new, key))
                except Conflict as err:
                    return err

        found = await asyncio.gather(*(keep(new, key) for new, key in asked))
        jobs = [one.job for one in found if isinstance(one, Kept) and unsent(one.job)]
        await _patiently(lambda: self._sending.send(jobs))
        return found


async def _patiently(do: Callable[[], Awaitable[T]]) -> T:
    """Try again for ten seconds."""
    for wait_s in WAITS_S:
        try:
            return await do()
        except AwsUnreachable:
            await asyncio.sleep(wait_s * (0.5 + random.random() / 2))  # nosec B311
    return await do()
