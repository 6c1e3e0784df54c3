"""What goes out for a message: many at once to SQS and EventBridge, each told its own outcome."""

from claude_core.jobs.events import Bus
from claude_core.jobs.job import Job
from claude_core.jobs.sqs import Queue
from worker_src.run import Run
from worker_src.together import Together


class Outbox:
    """One worker's. Every method raises AwsRefused and AwsUnreachable: the message comes again."""

    def __init__(self, queue: Queue, dead_letters: Queue, bus: Bus) -> None:
        self._dead_letters = dead_letters
        self._hide = Together(queue.hide)
        self._delete = Together(queue.delete)

        async def tell(jobs: list[Job]) -> list[None]:
            await bus.tell(jobs)
            return [None] * len(jobs)

        self._tell = Together(tell)

    async def hide(self, run: Run, seconds: int) -> bool:
        """Let a message go, to come again after so many seconds."""
        return await self._hide((run.handle, seconds))

    async def delete(self, run: Run) -> bool:
        """Delete a message; False: it comes again, and is deleted then."""
        return await self._delete(run.handle)

    async def tell(self, job: Job) -> None:
        await self._tell(job)

    async def bury(self, run: Run) -> None:
        """Move a message to the dead letters."""
        await self._dead_letters.send([run.message.body], group=run.pointer.client)
        await self.delete(run)
