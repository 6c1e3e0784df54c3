"""Which batch is an intent's: asked for, and then nobody heard what came of it.

Claude's list does not say what is in a batch but how many requests. So those of that time and size
that nobody owns are candidates, and the first `custom_id` of its results decides, when one has
ended. While one has not, none is made again.
"""

from contextlib import aclosing
from dataclasses import dataclass

from claude_core.message_batches import MessageBatch, MessageBatches
from lambda_src.batch_intents import Intent, Intents
from lambda_src.batch_result import Result

SKEW_S = 60.0
"""That Claude's clock and ours may differ, both ways."""
READ_S = 60.0


@dataclass(frozen=True, slots=True)
class Found:
    """There is a batch that may be the intent's; `batch` is there if it is."""

    batch: MessageBatch | None = None


class Adopting:
    """Raises as `Claude.ask` does, and AwsUnreachable."""

    def __init__(self, batches: MessageBatches, intents: Intents) -> None:
        self._batches, self._intents = batches, intents

    async def find(self, intent: Intent) -> Found | None:
        """The batch of an intent; None: there is none, as far as Claude shows yet."""
        may_be = False
        for batch in await self._batches.since(intent.sent_at - SKEW_S):
            if batch.created > intent.sent_by + SKEW_S or batch.total != intent.jobs:
                continue
            owner = await self._intents.owner(batch.id)
            if owner == intent.id:
                return Found(batch)
            if owner is None and batch.ended and await self._is_of(intent, batch):
                return Found(batch)
            may_be |= owner is None and not batch.ended
        return Found() if may_be else None

    async def _is_of(self, intent: Intent, batch: MessageBatch) -> bool:
        async with aclosing(self._batches.results(batch.id, within_s=READ_S)) as lines:
            async for line in lines:
                return Result.of(line).job_of(intent.id) is not None
        return False
