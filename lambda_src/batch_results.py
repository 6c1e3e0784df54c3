"""A batch has ended: its results become those of its jobs, then its money is settled, then all that
are over are told.

Results may be hundreds of megabytes, and are read line by line, some tens at once. Everything here
can be done again from the beginning: what is written is not written twice, and what was spent is
counted anew from the whole file.
"""

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing

from claude_core.budget import Budget
from claude_core.each import each
from claude_core.errors import AnswerLost
from claude_core.jobs.batched import ended_in
from claude_core.jobs.job import Job, Status
from claude_core.message_batches import MessageBatch, MessageBatches
from claude_core.models import resolve
from claude_core.reservation import Reservation, Spent, taken_at
from claude_core.row import month_of
from claude_core.telemetry import Telemetry
from lambda_src.batch_ends import Ends
from lambda_src.batch_fates import Fates
from lambda_src.batch_intents import Intent, Intents, Stage
from lambda_src.batch_messages import Post, Wake
from lambda_src.batch_result import Result
from lambda_src.batch_tally import Share, Tally
from lambda_src.batch_time import Time
from lambda_src.batch_waiting import Waiting

STOP_S = 45.0
"""Before its call ends reading stops: what was begun has to be written."""
WAKE_S = 60.0
NOTHING = Share()
SHORT = "the results of a batch are fewer than its requests"


class Results:
    """Raises as `Claude.ask` does, and AwsUnreachable: then it is done again."""

    def __init__(
        self,
        *,
        batches: MessageBatches,
        waiting: Waiting,
        fates: Fates,
        budget: Budget,
        ends: Ends,
        intents: Intents,
        post: Post,
        telemetry: Telemetry,
    ) -> None:
        self._batches, self._waiting, self._fates = batches, waiting, fates
        self._budget, self._ends, self._intents = budget, ends, intents
        self._post, self._telemetry = post, telemetry

    async def take(self, intent: Intent, batch: MessageBatch, time: Time) -> bool:
        """Take the results of an intent's batch; False: time ran out, and the rest is for later."""
        listed = await self._waiting.held(intent.id)
        tally = Tally(resolve(intent.model))

        async def one(line: bytes) -> None:
            result = Result.of(line)
            id = result.job_of(intent.id)
            if id is None:
                return
            cost = tally.count(id, result)
            over = await self._fates.meet(intent, id, listed.pop(id, None), result, cost)
            if over:
                tally.over.append(over)

        async with aclosing(self._lines(batch, tally, time)) as lines:
            await each(lines, one)
        if time.left_s < STOP_S:
            return False
        if tally.lines != batch.total:
            raise AnswerLost(SHORT)  # never taken for what is missing in it
        untold = await self._left(intent, listed.values())
        await self._settle(intent, tally)
        await self._ends.tell(tally.over)
        await self._ends.tell_listed(intent.id, untold)
        await self._post.wake(Wake(intent.model, again=True), WAKE_S)
        if await self._intents.move(intent, Stage.ENDED):
            self._report(tally)
        return True

    async def _lines(self, batch: MessageBatch, tally: Tally, time: Time) -> AsyncGenerator[bytes]:
        reading = self._batches.results(batch.id, within_s=max(1.0, time.left_s))
        async with aclosing(reading):
            async for line in reading:
                if time.left_s < STOP_S:
                    return
                tally.lines += 1
                yield line

    async def _left(self, intent: Intent, listed: Iterable[Job]) -> list[Job]:
        """Jobs that the batch holds, and that were never in it: they go back. Those that are over,
        and were not told of."""
        untold: list[Job] = []

        async def one(job: Job) -> None:
            after = await self._fates.expired(intent, job, listed=True)
            if after and ended_in(after, intent.id):
                untold.append(after.light)

        await each(listed, one)
        return untold

    async def _settle(self, intent: Intent, tally: Tally) -> None:
        """Once for each client; a second time changes nothing."""
        month = month_of(taken_at(intent.reservation))

        async def one(client: str) -> None:
            share = tally.shares.get(client, NOTHING)
            held = Reservation(
                intent.reservation, client, month, intent.held[client], share.answers
            )
            await self._budget.settle(held, Spent(tally.model, share.cost, share.usage))

        await each(intent.held, one)

    def _report(self, tally: Tally) -> None:
        for client, share in tally.shares.items():
            self._telemetry.batch(client, tally.model, share.usage, share.answers, cost=share.cost)
        self._telemetry.count(
            jobs_done=tally.ended(Status.DONE), jobs_failed=tally.ended(Status.FAILED)
        )
