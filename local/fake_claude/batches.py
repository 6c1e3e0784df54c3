"""All message batches that there are, and the work that is done for them meanwhile."""

import asyncio
from collections.abc import Collection, Coroutine
from typing import Any

from local.fake_claude.batch import Batch
from local.fake_claude.errors import ApiError, invalid


class Batches:
    """Batches by id, in the order of their creation."""

    def __init__(self) -> None:
        self._batches: dict[str, Batch] = {}
        self._work: dict[str, asyncio.Task[None]] = {}

    def start(self, batch: Batch, work: Coroutine[Any, Any, None]) -> None:
        """Take a batch in, and do the work."""
        self._batches[batch.id] = batch
        self._work[batch.id] = asyncio.create_task(work)

    def find(self, batch_id: str) -> Batch:
        if batch_id not in self._batches:
            raise missing(batch_id)
        return self._batches[batch_id]

    def newest_first(self) -> list[Batch]:
        return list(reversed(self._batches.values()))

    def delete(self, batch: Batch) -> None:
        """Delete a batch that has ended."""
        if batch.ended_at is None:
            raise invalid(
                "In progress batches cannot be deleted. Consider canceling the batch instead."
            )
        self._batches.pop(batch.id, None)
        self._work.pop(batch.id, None)

    async def end(self, ids: Collection[str] | None = None) -> int:
        """End these batches now, held or not; all, if none are given. How many have ended by it."""
        open_ones = [
            batch
            for batch in self._batches.values()
            if batch.ended_at is None and (ids is None or batch.id in ids)
        ]
        for batch in open_ones:
            batch.hurry()
        await asyncio.gather(*(self._work[batch.id] for batch in open_ones))
        return len(open_ones)

    def forget(self) -> None:
        """Let go of all batches, whatever they are at."""
        for work in self._work.values():
            work.cancel()
        self._batches, self._work = {}, {}


def missing(batch_id: str) -> ApiError:
    """What is said about an unknown batch, and about a new one that is not seen everywhere yet."""
    return ApiError(404, f"Message Batch {batch_id} not found.")
