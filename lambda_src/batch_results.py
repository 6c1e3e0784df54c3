"""A batch has ended: its results become those of its jobs, then its money is settled, then all that
are over are told.

Results may be hundreds of megabytes, and are read line by line, some tens at once. Everything here
can be done again from the beginning: what is written is not written twice, and what was spent is
counted anew from the whole file.
"""

from collections import Counter
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from functools import partial

from claude_core.budget import Budget
from claude_core.each import each
from claude_core.errors import AnswerLost, AwsUnreachable
from claude_core.jobs.batched import ended_in, held_by
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
TOGETHER = 100
"""Jobs that are told of before time is looked at."""
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
        tally = await self._read(intent, batch, time)
        if time.left_s < STOP_S:
            return False
        if len(tally.jobs) != batch.total:
            raise AnswerLost(SHORT)  # never taken for what is missing in it
        await self._settle(intent, tally)
        if not await self._tell(intent, tally, time):
            return False
        await self._post.wake(Wake(intent.model, again=True), WAKE_S)
        if await self._intents.move(intent, Stage.ENDED):
            for client, share in tally.shares.items():
                self._telemetry.batch(
                    client, tally.model, share.usage, share.answers, cost=share.cost
                )
        return True

    async def _read(self, intent: Intent, batch: MessageBatch, time: Time) -> Tally:
        """Count every line; those of jobs that the batch holds still are done with."""
        tally, listed = Tally(resolve(intent.model)), await self._waiting.held(intent.id)

        async def one(line: bytes) -> None:
            result = Result.of(line)
            id = result.job_of(intent.id)
            if id is None:
                raise AnswerLost("a result is of another batch")
            cost, job = tally.count(result, id), listed.pop(id, None)
            over = await self._fates.meet(intent, job, result, cost) if job else None
            if over:
                tally.over[id] = over

        async with aclosing(self._lines(batch, time)) as lines:
            await each(lines, one)
        if len(tally.jobs) == batch.total:
            await self._left(intent, listed.values())
        return tally

    async def _lines(self, batch: MessageBatch, time: Time) -> AsyncGenerator[bytes]:
        reading = self._batches.results(batch.id, within_s=max(1.0, time.left_s))
        async with aclosing(reading):
            async for line in reading:
                if time.left_s < STOP_S:
                    return
                yield line

    async def _left(self, intent: Intent, listed: Iterable[Job]) -> None:
        """Jobs that the batch holds, and that were never in it, go back; and who was refused, and
        is not told, is."""
        untold: list[Job] = []

        async def one(job: Job) -> None:
            after = await self._fates.expired(intent, job, listed=True)
            if after and ended_in(after, intent.id):
                untold.append(after.light)

        await each(listed, one)
        await self._ends.tell_listed(intent.id, untold)

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

    async def _tell(self, intent: Intent, tally: Tally, time: Time) -> bool:
        """Tell of all that are over, by what was read now, or in calls before; False: of some."""
        counts, jobs = Counter[str](), sorted(tally.jobs)

        async def found(id: str, over: list[Job]) -> None:
            job = tally.over.get(id) or await self._fates.read(id)
            if job and held_by(job, intent.id):
                raise AwsUnreachable("the index of jobs is late")
            if job and ended_in(job, intent.id):
                over.append(job.light)

        for at in range(intent.told, len(jobs), TOGETHER):
            if time.left_s < STOP_S:
                await self._intents.move(intent, Stage.CREATED, told={"N": str(at)})
                break
            over: list[Job] = []
            await each(jobs[at : at + TOGETHER], partial(found, over=over))
            await self._ends.tell(over)
            counts.update(job.status.value for job in over)
        else:
            at = len(jobs)
        self._telemetry.count(jobs_done=counts[Status.DONE], jobs_failed=counts[Status.FAILED])
        return at == len(jobs)
