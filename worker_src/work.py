"""One job, from its message to its end: claim, reserve, ask, store, settle, tell, delete."""

import asyncio
import random
from collections.abc import Callable

from claude_core.errors import AwsUnreachable, KitError, Overloaded, RateLimited
from claude_core.incoming import Incoming
from claude_core.insist import insist
from claude_core.jobs.claims import Claims, Exhausted, Held, Over
from claude_core.jobs.endings import Endings
from claude_core.jobs.job import Job, Status
from claude_core.telemetry import Telemetry
from worker_src.attempts import Attempts
from worker_src.fates import OLDEST_S, End, Later, after_crash, exhausted, fate_of, hidden_s
from worker_src.governor import Governor
from worker_src.outbox import Outbox
from worker_src.pauses import Pauses
from worker_src.run import Run
from worker_src.slots import Slots

ALONE_AFTER = 2
"""Crashes after which a job runs with nothing beside it."""
SHORTLY_S, LONG_S = 5.0, 600.0
"""That a write is tried which can be left, and the last word on a job."""


class Work:
    """Does jobs of one queue; everything it needs is handed in."""

    def __init__(
        self,
        *,
        attempts: Attempts,
        claims: Claims,
        endings: Endings,
        outbox: Outbox,
        governor: Governor,
        pauses: Pauses,
        slots: Slots,
        telemetry: Telemetry,
        now: Callable[[], float],
        rand: random.Random,
    ) -> None:
        self._attempts, self._claims, self._endings = attempts, claims, endings
        self._outbox, self._governor, self._pauses = outbox, governor, pauses
        self._slots, self._telemetry, self._now, self._rand = slots, telemetry, now, rand

    async def do(self, run: Run) -> None:
        """Work on a message's job until it is over, or back in the queue."""
        if await self._pace(run):
            return
        found = await insist(lambda: self._claims.claim(run.pointer.job), seconds=SHORTLY_S)
        match found:
            case None:
                await self._outbox.bury(run)
            case Held(left_s):
                await self._back(run, left_s)
            case Over(job):
                await self._conclude(run, job)
            case Exhausted(job):
                await self._end(run, job, exhausted(job))
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
                await self._back(run, 1.0)

    async def _pace(self, run: Run) -> bool:
        """Wait for the model's line; True: it would be too long, and the message is back."""
        line = self._governor.line(run.pointer.model)
        while (wait := line.take()) is not None:
            turns = line.turns
            if wait:
                await asyncio.sleep(wait)
            if turns == line.turns:
                return False
        await self._back(run, line.wait_s())
        return True

    async def _claimed(self, run: Run, job: Job) -> None:
        run.claim, run.held_until = job, float(job.lease)
        line = self._governor.line(run.pointer.model)
        if self._now() - run.message.sent > OLDEST_S:
            end = End(Status.FAILED, "timeout_error", "it has waited for a week, and was not begun")
            await self._end(run, job, end)
            return
        try:
            self._telemetry.count(calls_started=1)
            reply, over = await self._attempts.make(run, job)
        except (RateLimited, Overloaded) as err:
            refused_s = line.refused(err.retry_after_s)
            self._telemetry.count(calls_throttled=1)
            await self._share_pause(run.pointer.model, refused_s)
            fate = fate_of(err, job, refused_s=refused_s)
        except KitError as err:
            fate = fate_of(err, job)
        except Exception as err:
            self._telemetry.crashed(Incoming(job.id), err)
            fate = after_crash(job, KitError("the job could not be worked on"))
        else:
            line.answered(reply.headers)
            run.claim = None
            if over is not None:  # else another claim has it, and its worker the message
                await self._conclude(run, over)
            return
        await (self._end(run, job, fate) if isinstance(fate, End) else self._later(run, job, fate))

    async def _conclude(self, run: Run, job: Job) -> None:
        """Tell of a job that is over, and delete its message; a crash before that does it again."""
        await self._outbox.tell(job)
        if job.status is Status.DEAD:
            await self._outbox.bury(run)
        else:
            await self._outbox.delete(run)

    async def _end(self, run: Run, job: Job, end: End) -> None:
        over = await insist(
            lambda: self._endings.failed(
                job, type=end.type, message=end.message, status=end.status
            ),
            seconds=LONG_S,
        )
        run.claim = None
        if over is not None:
            await self._conclude(run, over)

    async def _later(self, run: Run, job: Job, later: Later) -> None:
        """Let go of a claimed job: the row first, or its message would find the lease."""
        counts = later.counts or run.called
        await insist(
            lambda: self._claims.release(job, counts=counts, failed=later.failed),
            seconds=SHORTLY_S,
        )
        run.claim = None
        await self._back(run, later.delay_s)

    async def let_go(self, run: Run) -> None:
        """Give a run up that was cancelled: its job can be claimed by another at once."""
        if run.claim is not None and not run.lost:
            await self._claims.release(run.claim, counts=run.called)
        if not run.lost:
            await self._outbox.hide(run, 0)

    async def _back(self, run: Run, delay_s: float) -> None:
        await self._outbox.hide(run, hidden_s(delay_s, run.message.receives, self._rand))

    async def _share_pause(self, model: str, pause_s: float) -> None:
        try:
            await self._pauses.tell(model, pause_s)
        except AwsUnreachable as err:
            self._telemetry.trouble(f"a pause could not be shared: {err.message}")
