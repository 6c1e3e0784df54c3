"""One job, from its message to its end: claim, reserve, ask, store, settle, tell, delete."""

import asyncio
import random
from collections.abc import Callable

from claude_core.errors import (
    AwsUnreachable,
    KeyMissing,
    KeyRejected,
    KitError,
    OverBudget,
    Overloaded,
    RateLimited,
    SpendCapReached,
    Stopped,
    TooMany,
)
from claude_core.incoming import Incoming
from claude_core.insist import insist
from claude_core.jobs.claims import Claims, Exhausted, Held, Over
from claude_core.jobs.job import Job, Status
from claude_core.telemetry import Telemetry
from worker_src.attempts import Attempts
from worker_src.fates import (
    OLDEST_S,
    End,
    Later,
    after_crash,
    exhausted,
    fate_of,
    shortly_after_s,
)
from worker_src.governor import Governor
from worker_src.leaving import SHORTLY_S, Leaving
from worker_src.outbox import Outbox
from worker_src.pauses import Pauses
from worker_src.run import Run
from worker_src.slots import Slots
from worker_src.tally import CALLS, THROTTLED, Tally

ALONE_AFTER = 2
"""Crashes after which a job runs with nothing beside it."""
OF_ALL = (KeyMissing, KeyRejected, SpendCapReached)
OF_ITS_CLIENT = (TooMany, Stopped, OverBudget)
"""Errors that every job of a model, or of a client, would end with for a while."""


class Work:
    """Does jobs of one queue; everything it needs is handed in."""

    def __init__(
        self,
        *,
        attempts: Attempts,
        claims: Claims,
        leaving: Leaving,
        outbox: Outbox,
        governor: Governor,
        pauses: Pauses,
        slots: Slots,
        tally: Tally,
        telemetry: Telemetry,
        now: Callable[[], float],
        rand: random.Random,
    ) -> None:
        self._attempts, self._claims, self._leaving = attempts, claims, leaving
        self._outbox, self._governor, self._pauses = outbox, governor, pauses
        self._slots, self._tally, self._telemetry = slots, tally, telemetry
        self._now, self._rand = now, rand

    async def do(self, run: Run) -> None:
        """Work on a message's job until it is over, or back in the queue."""
        if await self._pace(run):
            return
        found = await insist(lambda: self._claims.claim(run.pointer.job), seconds=SHORTLY_S)
        match found:
            case None:
                await self._outbox.bury(run)
            case Held(left_s):
                await self._outbox.hide(run, shortly_after_s(left_s, self._rand))
            case Over(job):
                await self._leaving.conclude(run, job)
            case Exhausted(job):
                await self._leaving.end(run, job, exhausted(job))
            case Job() as job if job.crashes >= ALONE_AFTER:
                await self._alone(run, job)
            case Job() as job:
                await self._claimed(run, job)

    async def _alone(self, run: Run, job: Job) -> None:
        """Work on a job that may be what ended its workers, when nothing else is in flight.

        Until then it is not claimed: it would be blamed for what another one does.
        """
        claim: Job | Held | Over | Exhausted | None = job
        if waits := self._slots.jobs > 1:
            await self._claims.release(job, counts=False)
        async with self._slots.alone():
            if waits:
                claim = await self._claims.claim(job.id)
            if isinstance(claim, Job):
                await self._claimed(run, claim)
            else:
                await self._leaving.back(run, 1.0)

    async def _pace(self, run: Run) -> bool:
        """Wait for the model's line; True: it would be too long, and the message is back."""
        if rests_s := self._governor.rests_s(run.pointer.client):
            await self._leaving.back(run, rests_s)
            return True
        line = self._governor.line(run.pointer.model)
        while (wait := line.take()) is not None:
            turns = line.turns
            if wait:
                await asyncio.sleep(wait)
            if turns == line.turns:
                return False
        await self._leaving.back(run, line.wait_s())
        return True

    async def _claimed(self, run: Run, job: Job) -> None:
        run.claim, run.held_until = job, float(job.lease)
        line = self._governor.line(run.pointer.model)
        if self._now() - run.message.sent > OLDEST_S:
            end = End(Status.FAILED, "timeout_error", "it has waited for a week, and was not begun")
            await self._leaving.end(run, job, end)
            return
        try:
            self._tally.add(CALLS)
            reply, over = await self._attempts.make(run, job)
        except (RateLimited, Overloaded) as err:
            refused_s = line.refused(err.retry_after_s)
            self._tally.add(THROTTLED)
            await self._share_pause(run.pointer.model, refused_s)
            fate = fate_of(err, job, refused_s=refused_s)
        except KitError as err:
            fate = fate_of(err, job)
            self._heed(run, err, fate)
        except Exception as err:
            self._telemetry.crashed(Incoming(job.id), err)
            fate = after_crash(job, KitError("the job could not be worked on"))
        else:
            line.answered(reply.headers)
            run.claim = None
            if over is not None:  # else another claim has it, and its worker the message
                await self._leaving.over(run, over)
            return
        await (
            self._leaving.end(run, job, fate)
            if isinstance(fate, End)
            else self._leaving.later(run, job, fate)
        )

    def _heed(self, run: Run, err: KitError, fate: Later | End) -> None:
        """Count a failure; and spare those jobs a claim that would fail for the same reason now."""
        self._telemetry.failed(Incoming(run.pointer.job), err, self._age_ms(run))
        if isinstance(fate, Later) and isinstance(err, OF_ALL):
            self._governor.line(run.pointer.model).pause(self._now() + fate.delay_s)
        elif isinstance(fate, Later) and isinstance(err, OF_ITS_CLIENT):
            self._governor.rest(run.pointer.client, fate.delay_s)

    async def _share_pause(self, model: str, pause_s: float) -> None:
        try:
            await self._pauses.tell(model, pause_s)
        except AwsUnreachable as err:
            self._telemetry.trouble(f"a pause could not be shared: {err.message}")

    def _age_ms(self, run: Run) -> float:
        return (self._now() - run.message.sent) * 1_000
