"""Jobs that are over in a batch: told to the event bus, ten at a time, at least once."""

from collections.abc import Iterable

from claude_core.each import each
from claude_core.insist import insist
from claude_core.jobs.batched import Batched
from claude_core.jobs.endings import Endings
from claude_core.jobs.events import TOGETHER, Bus
from claude_core.jobs.job import Job
from claude_core.patient import PATIENCE_S
from claude_core.reached import reached
from claude_core.telemetry import Telemetry
from lambda_src.batch_requests import Unasked

AT_ONCE = 4


class Ends:
    """Raises AwsUnreachable: some were not told; told again, others are told twice."""

    def __init__(self, endings: Endings, batched: Batched, bus: Bus, telemetry: Telemetry) -> None:
        self._endings, self._batched, self._bus = endings, batched, bus
        self._telemetry = telemetry

    async def refuse(self, intent: str, unasked: Iterable[Unasked]) -> None:
        """Fail jobs that a batch holds and does not ask, with words for their owners."""
        over: list[Job] = []

        async def fail(one: Unasked) -> None:
            error = one.error
            job = await self._endings.failed(
                one.job, type=error.type, message=error.message, listed=True
            )
            if job:
                over.append(job.light)

        await each(unasked, fail)
        if over:
            await self.tell_listed(intent, over)
            self._telemetry.count(jobs_failed=len(over))

    async def tell_listed(self, intent: str, jobs: list[Job]) -> None:
        """Tell of jobs that are over and listed still; from then on they are not."""
        await self.tell(jobs)
        await each(jobs, lambda job: self._batched.told(job, intent))

    async def tell(self, jobs: list[Job]) -> None:
        """Tell of jobs that are over."""

        async def some(at: int) -> None:
            with reached("the event bus"):
                told = jobs[at : at + TOGETHER]
                await insist(lambda: self._bus.tell(told), seconds=PATIENCE_S)

        await each(range(0, len(jobs), TOGETHER), some, at_once=AT_ONCE)
