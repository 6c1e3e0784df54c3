"""The worker put together: real parts by default, each of them handed in."""

import asyncio
import random
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from claude_core.aws import Aws
from claude_core.budget import Budget
from claude_core.client import Claude
from claude_core.jobs.claims import Claims
from claude_core.jobs.endings import Endings
from claude_core.jobs.events import Bus
from claude_core.jobs.files import Files
from claude_core.jobs.rows import Rows
from claude_core.jobs.settings import JobSettings, WorkerSettings
from claude_core.jobs.sqs import Queue
from claude_core.telemetry import Telemetry
from claude_core.teller import Teller
from worker_src.attempts import Attempts
from worker_src.bodies import Bodies
from worker_src.governor import Governor
from worker_src.heart import Heart
from worker_src.leaving import Leaving
from worker_src.outbox import Outbox
from worker_src.pauses import Pauses
from worker_src.protection import Protection
from worker_src.slots import Slots
from worker_src.tally import Tally
from worker_src.work import Work
from worker_src.worker import Worker

HEAR_S, GAUGE_S = 5.0, 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A worker, and what runs beside it."""

    worker: Worker
    heart: Heart
    teller: Teller
    slots: Slots
    tally: Tally
    pauses: Pauses
    telemetry: Telemetry
    protection: Protection | None
    takes: str
    """Which queue it empties: each is scaled by its own workers."""

    async def run(self) -> None:
        """Until it has drained, and all that has ended is settled."""
        self.telemetry.count(worker_starts=1)
        beside = [
            asyncio.create_task(doing)
            for doing in (self.heart.beat_for_ever(), self._hear(), self._gauge())
        ]
        try:
            await self.worker.run()
            await self.teller.close()
            self.tally.tell()
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)

    async def _hear(self) -> None:
        """Every five seconds: what others know of Claude's limits; and the task's protection."""
        while True:
            await asyncio.sleep(HEAR_S)
            try:
                await self.pauses.hear()
            except Exception as err:
                self.telemetry.trouble(f"pauses could not be read: {type(err).__name__}")
            if self.protection:
                self.worker.resting = await self.protection.hold(busy=self.slots.jobs > 0)

    async def _gauge(self) -> None:
        """What the service is scaled by, and all that was counted."""
        while True:
            gauges = {
                f"workers_{self.takes}": 1,
                f"oldest_{self.takes}_s": self.worker.oldest_s(),
                "jobs_in_flight": self.slots.jobs,
            }
            self.tally.tell(**gauges)
            await asyncio.sleep(GAUGE_S)


def build(
    *,
    aws: Aws,
    claude: Claude,
    budget: Budget,
    telemetry: Telemetry,
    jobs: JobSettings,
    worker: WorkerSettings,
    protection: Protection | None = None,
    holder: str | None = None,
    now: Callable[[], float] = time.time,
    rand: random.Random | None = None,
    teller: Teller | None = None,
) -> Built:
    """Wire one worker; clock, chance and the outside world can be another's."""
    rand = rand or random.Random()  # nosec B311: jitter
    long, visibility_s = worker.takes == "long", int(worker.visibility_s)
    queue = Queue(aws, jobs.long_queue if long else jobs.now_queue)
    dead_letters = Queue(aws, jobs.long_dlq if long else jobs.now_dlq)
    rows = Rows(aws, jobs.jobs_table)
    claims = Claims(rows, holder=holder or secrets.token_hex(8), lease_s=visibility_s, now=now)
    endings = Endings(rows, keep_days=int(jobs.job_days), now=now)
    slots = Slots(jobs=int(worker.slots), bytes=int(worker.bytes_in_flight), now=now)
    governor, teller, tally = Governor(now), teller or Teller(budget), Tally(telemetry)
    pauses = Pauses(rows, governor, now)
    attempts = Attempts(
        claude=claude,
        teller=teller,
        endings=endings,
        bodies=Bodies(Files(aws, jobs.files_bucket), streamed=long, now=now),
        telemetry=telemetry,
        job_timeout_s=float(worker.job_timeout_s),
        now=now,
    )
    outbox = Outbox(queue, dead_letters, Bus(aws, jobs.event_bus))
    leaving = Leaving(claims=claims, endings=endings, outbox=outbox, tally=tally, rand=rand)
    work = Work(
        attempts=attempts,
        claims=claims,
        leaving=leaving,
        outbox=outbox,
        governor=governor,
        pauses=pauses,
        slots=slots,
        tally=tally,
        telemetry=telemetry,
        now=now,
        rand=rand,
    )
    made = Worker(
        queue=queue,
        dead_letters=dead_letters,
        work=work,
        leaving=leaving,
        slots=slots,
        governor=governor,
        telemetry=telemetry,
        visibility_s=visibility_s,
        drain_s=float(worker.drain_s),
        now=now,
    )
    heart = Heart(
        made.runs,
        claims=claims,
        queue=queue,
        every_s=float(worker.heartbeat_s),
        visibility_s=visibility_s,
        now=now,
    )
    return Built(
        worker=made,
        heart=heart,
        teller=teller,
        slots=slots,
        tally=tally,
        pauses=pauses,
        telemetry=telemetry,
        protection=protection,
        takes=worker.takes,
    )
