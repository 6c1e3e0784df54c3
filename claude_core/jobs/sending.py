"""Jobs that are in the table are told to the queues of their lanes, and the workers are woken."""

import asyncio
from collections.abc import Callable, Sequence

from claude_core.aws import Aws
from claude_core.jobs.job import Job, Status
from claude_core.jobs.queue_message import Pointer, wake_up
from claude_core.jobs.settings import JobSettings, StartSettings
from claude_core.jobs.sqs import TOGETHER, Queue
from claude_core.jobs.starter import Starter
from claude_core.reached import reached


def unsent(job: Job) -> bool:
    """Whether nobody has begun it: its message may be missing, and a second one does no harm."""
    return job.status is Status.QUEUED and job.attempts == 0


class Sending:
    """Sends to all three queues."""

    def __init__(
        self, aws: Aws, settings: JobSettings, starting: StartSettings, starter: Starter
    ) -> None:
        self._starter, self._delay_s = starter, int(settings.batch_delay_s)
        self._batch = Queue(aws, settings.batch_queue)
        self._now = Queue(aws, settings.now_queue), starting.now_service
        self._long = Queue(aws, settings.long_queue), starting.long_service

    @classmethod
    def build(
        cls,
        aws: Aws,
        settings: JobSettings,
        starting: StartSettings,
        *,
        trouble: Callable[[str], None],
    ) -> "Sending":
        """With what starts services of which no task runs."""
        table, cluster = settings.jobs_table, starting.cluster
        starter = Starter(aws, table=table, cluster=cluster, trouble=trouble)
        return cls(aws, settings, starting, starter)

    async def send(self, jobs: Sequence[Job]) -> None:
        """Put jobs of one client on their way.

        Raises:
            AwsUnreachable: some are not; sent once more, those that are come twice.
        """
        at_once = [job for job in jobs if job.lane != "batch"]
        longs = [job for job in at_once if job.long]
        nows = [job for job in at_once if not job.long]
        models = sorted({job.model for job in jobs if job.lane == "batch"})
        with reached("the queue"):
            await asyncio.gather(
                *(self._wake(model) for model in models),
                self._point(self._now, nows),
                self._point(self._long, longs),
            )

    async def _wake(self, model: str) -> None:
        await self._batch.send([wake_up(model)], group=model, delay_s=self._delay_s)

    async def _point(self, where: tuple[Queue, str], jobs: list[Job]) -> None:
        queue, service = where
        texts = [Pointer(job.id, job.client, job.model, job.bytes).to_text() for job in jobs]
        together = [texts[at : at + TOGETHER] for at in range(0, len(texts), TOGETHER)]
        await asyncio.gather(*(queue.send(some, group=jobs[0].client) for some in together))
        if jobs:
            await self._starter.start(service)
