"""One attempt at a job that is claimed: reserve, ask Claude, store the answer, settle."""

import asyncio
from collections.abc import Callable

from claude_core.client import Claude
from claude_core.errors import KitError
from claude_core.incoming import Incoming
from claude_core.insist import insist
from claude_core.jobs.endings import Endings
from claude_core.jobs.job import Job
from claude_core.reply import Reply
from claude_core.rolling import Want
from claude_core.telemetry import Telemetry
from claude_core.teller import Teller
from worker_src.bodies import Bodies
from worker_src.governor import Wait
from worker_src.run import Run

INSIST_S = 600.0
"""That an answer, which is paid, is tried to be stored."""


class Attempts:
    """Makes them; everything that it takes is handed in."""

    def __init__(
        self,
        *,
        claude: Claude,
        teller: Teller,
        endings: Endings,
        bodies: Bodies,
        telemetry: Telemetry,
        job_timeout_s: float,
        now: Callable[[], float],
    ) -> None:
        self._claude, self._teller, self._endings = claude, teller, endings
        self._bodies, self._telemetry, self._now = bodies, telemetry, now
        self._job_timeout_s = job_timeout_s

    async def make(self, run: Run, job: Job) -> tuple[Reply, Job | None]:
        """Claude's answer, and the job when it is stored; None for the job: another claim has it.

        Raises:
            KitError: there is no answer; what it may have cost is charged.
            AwsUnreachable: it could not be stored.
        """
        request = await self._bodies.request(job)
        want = Want(request.model, request.worst_cost, request.needs)
        share = await self._teller.reserve(job.client, want)
        deadline = asyncio.get_running_loop().time() + self._job_timeout_s
        try:
            if self._now() >= run.held_until:
                raise Wait("the lease ended before the job began", retry_after_s=1.0)
            run.called = True
            reply = await self._claude.ask(request, deadline=deadline)
        except KitError as err:
            run.called = err.may_be_billed
            await share.settle(want.cost if err.may_be_billed else 0)
            raise
        except BaseException:
            # It ends while Claude writes: what that costs is not told any more.
            share.charge(want.cost)
            raise
        cost = request.model.cost(reply.usage, reply.stop_reason)
        try:
            over = await self._keep(job, reply, cost)
        finally:
            settled = await share.settle(cost, reply.usage)
        if not settled:
            self._telemetry.trouble("a settlement has to wait")
        ms = (self._now() - run.message.sent) * 1_000
        self._telemetry.answered(Incoming(job.id), job.client, request, reply, cost=cost, ms=ms)
        return reply, over

    async def _keep(self, job: Job, reply: Reply, cost: int) -> Job | None:
        """Store an answer that is paid for, however long the table does not take it."""
        at = await insist(lambda: self._bodies.keep(job, reply), seconds=INSIST_S)
        return await insist(
            lambda: self._endings.done(
                job,
                result=reply.body.decode(),
                usage=reply.message.get("usage") or {},
                cost=cost,
                stop_reason=reply.stop_reason,
                at=at,
            ),
            seconds=INSIST_S,
        )
