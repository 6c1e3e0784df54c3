"""How a run ends: its job is over, or goes back to the queue for later."""

import random

from claude_core.insist import insist
from claude_core.jobs.claims import Claims
from claude_core.jobs.endings import Endings
from claude_core.jobs.job import Job, Status
from worker_src.fates import End, Later, hidden_s
from worker_src.outbox import Outbox
from worker_src.run import Run
from worker_src.tally import ENDS, Tally

SHORTLY_S, LONG_S = 5.0, 600.0
"""That a write is tried which can be left, and the last word on a job."""


class Leaving:
    """Row first, message last: a crash between finds its way on from the row."""

    def __init__(
        self,
        *,
        claims: Claims,
        endings: Endings,
        outbox: Outbox,
        tally: Tally,
        rand: random.Random,
    ) -> None:
        self._claims, self._endings, self._outbox = claims, endings, outbox
        self._tally, self._rand = tally, rand

    async def conclude(self, run: Run, job: Job) -> None:
        """Tell of a job that is over, and delete its message; a crash before that does it again."""
        await self._outbox.tell(job)
        if job.status is Status.DEAD:
            await self._outbox.bury(run)
        else:
            await self._outbox.delete(run)

    async def over(self, run: Run, job: Job) -> None:
        """The same, for a job that has just ended here."""
        self._tally.add(ENDS[job.status])
        await self.conclude(run, job)

    async def end(self, run: Run, job: Job, end: End) -> None:
        over = await insist(
            lambda: self._endings.failed(
                job, type=end.type, message=end.message, status=end.status
            ),
            seconds=LONG_S,
        )
        run.claim = None
        if over is not None:
            await self.over(run, over)

    async def later(self, run: Run, job: Job, later: Later) -> None:
        """Let go of a claimed job: the row first, or its message would find the lease."""
        counts = later.counts or run.called
        await insist(
            lambda: self._claims.release(job, counts=counts, failed=later.failed),
            seconds=SHORTLY_S,
        )
        run.claim = None
        await self.back(run, later.delay_s)

    async def let_go(self, run: Run) -> None:
        """Give a run up that was cancelled: its job can be claimed by another at once."""
        if run.claim is not None and not run.lost:
            await self._claims.release(run.claim, counts=run.called)
        if not run.lost:
            await self._outbox.hide(run, 0)

    async def back(self, run: Run, delay_s: float) -> None:
        await self._outbox.hide(run, hidden_s(delay_s, run.message.receives, self._rand))
