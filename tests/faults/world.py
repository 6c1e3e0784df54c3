"""A deployment in memory: tables, queues, clients and Claude, on one virtual clock."""

import asyncio
import datetime as dt
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, cast

from claude_core.aws import Aws
from claude_core.budget import Budget
from claude_core.client import Claude
from claude_core.clients import ClientKey, new_key
from claude_core.jobs.files import Files
from claude_core.jobs.intake import new_job
from claude_core.jobs.job import Job, Status
from claude_core.jobs.queue_message import Pointer
from claude_core.jobs.settings import JobSettings, WorkerSettings
from claude_core.jobs.sqs import Queue
from claude_core.jobs.store import Jobs
from claude_core.models import resolve
from claude_core.row import Row
from claude_core.telemetry import Telemetry
from claude_core.teller import Teller
from claude_core.usage import Usage
from tests.cloud.dynamo import Dynamo
from tests.cloud.index import Projection
from tests.cloud.keys import Keys
from tests.cloud.sqs import Sqs
from tests.cloud.virtual import VirtualLoop
from tests.faults.aws import SimAws
from tests.faults.claude import INPUT, OUTPUT, Faults, SimClaude
from tests.faults.process import CURRENT, Process, but_killed, task_factory
from worker_src.built import Built, build

BUDGET = 10**13
RETENTION_S = 14 * 86_400


class Quiet(Telemetry):
    """Counts, and keeps what it was told of."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.troubles: list[str] = []
        self.crashes: list[BaseException] = []

    def answered(self, *_: Any, **__: Any) -> None:
        self.counts["answers"] += 1

    def failed(self, *_: Any, **__: Any) -> None:
        self.counts["failures"] += 1

    def batch(self, *_: Any, **__: Any) -> None:
        self.counts["batch_shares"] += 1

    def count(self, **values: float) -> None:
        for name, value in values.items():
            self.counts[name] += int(value)

    def trouble(self, what: str) -> None:
        self.troubles.append(what)

    def crashed(self, incoming: Any, error: BaseException) -> None:
        self.crashes.append(error)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a world is like."""

    seed: int
    trouble: float = 0.0
    """Share of AWS calls that fail."""
    faults: Faults = field(default_factory=Faults)
    duplicates: float = 0.0
    break_at: tuple[int, str] | None = None
    slots: int = 20
    visibility_s: int = 120
    longest_s: float = 20.0
    per_minute: int | None = None


class World:
    """Everything outside of the processes, and what is known of it afterwards."""

    def __init__(self, shape: Shape, loop: VirtualLoop) -> None:
        self.shape, self.loop = shape, loop
        loop.set_task_factory(cast(Any, task_factory))
        loop.set_exception_handler(but_killed)
        self.rand = random.Random(shape.seed)
        self.now = loop.clock
        self.sqs = Sqs(self.now, self.rand)
        self.sqs.trouble = type(self.sqs.trouble)(duplicates=shape.duplicates)
        self.dynamo = Dynamo(self.now)
        self.jobs_table = self.dynamo.add(
            "jobs", Keys("id"), by_client=(Keys("client", "listed"), Projection())
        )
        self.clients = self.dynamo.add("clients", Keys("id"))
        self.dynamo.add("history", Keys("client", "day"))
        dlq = self.sqs.add("now-dlq", retention_s=RETENTION_S)
        queue = self.sqs.add(
            "now",
            visibility_s=shape.visibility_s,
            retention_s=RETENTION_S,
            dead_letters=self.sqs.queues[dlq],
            max_receives=1_000,
        )
        self.settings = JobSettings(
            jobs_table="jobs",
            files_bucket="files",
            now_queue=queue,
            now_dlq=dlq,
            long_queue=queue,
            long_dlq=dlq,
            batch_queue=queue,
            batch_dlq=dlq,
            event_bus="bus",
        )
        self.claude = SimClaude(
            self.rand, shape.faults, longest_s=shape.longest_s, per_minute=shape.per_minute
        )
        self.aws = SimAws(
            self.sqs, self.dynamo, self.rand, trouble=shape.trouble, break_at=shape.break_at
        )
        self.aws.watch = self._watch
        self.stored: Counter[str] = Counter()
        """Results by job, as often as one was stored."""
        self.telemetry = Quiet()
        self.full = 0.0
        """Whatever a test measures."""
        self.processes: list[Process] = []
        self.built: list[Built] = []

    def client(self, *, budget: int = BUDGET, rpm: int = 10**6) -> str:
        """A new client's id."""
        key = ClientKey.parse(new_key(f"c{len(self.clients.items):07d}"))
        self.clients.add(
            {
                "id": {"S": key.id},
                "name": {"S": key.id},
                "key_1": {"S": key.sha256},
                "budget": {"N": str(budget)},
                "rpm": {"N": str(rpm)},
                "models": {"SS": ["balanced"]},
                "disabled": {"BOOL": False},
                "open": {"M": {}},
            }
        )
        return key.id

    async def submit(self, client: str, content: str, *, doc_id: str | None = None) -> str:
        """A job as the API keeps and sends it, with an AWS that does not fail; its id."""
        quiet = SimAws(self.sqs, self.dynamo, self.rand)
        quiet.objects = self.aws.objects
        aws = cast(Aws, quiet)
        store = Jobs(aws, table="jobs", files=Files(aws, "files"), now=self.utc)
        new = new_job(client, {"doc_id": doc_id or content, "content": content})
        job = (await store.keep(new)).job
        pointer = Pointer(job.id, client, new.request.model.id, job.bytes)
        await Queue(aws, self.settings.now_queue).send([pointer.to_text()], group=client)
        return job.id

    def worker(self, *, kill_at: int | None = None) -> Process:
        """A worker that runs from now on."""
        process = Process(f"worker-{len(self.processes)}", kill_at=kill_at)
        aws = cast(Aws, self.aws)
        budget = Budget.build(
            aws,
            table="clients",
            history_table="history",
            topic="topic",
            trouble=self.telemetry.trouble,
        )
        built = build(
            aws=aws,
            claude=cast(Claude, self.claude),
            budget=budget,
            teller=Teller(budget, now=self.utc),
            telemetry=self.telemetry,
            jobs=self.settings,
            worker=WorkerSettings(
                takes="now",
                slots=str(self.shape.slots),
                bytes_in_flight="64000000",
                visibility_s=str(self.shape.visibility_s),
                heartbeat_s=str(self.shape.visibility_s / 3),
                job_timeout_s="900",
                drain_s="110",
            ),
            holder=process.name,
            now=self.now,
            rand=self.rand,
        )
        process.main = process.start(built.run())
        self.processes.append(process)
        self.built.append(built)
        return process

    def utc(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(self.now(), dt.UTC)

    def job(self, id: str) -> Job:
        return Job(self.jobs_table.items[id])

    def open_jobs(self, ids: list[str]) -> list[str]:
        return [id for id in ids if not self.job(id).status.over]

    async def until_over(self, ids: list[str], *, hours: float, messages: bool = True) -> list[str]:
        """Wait until jobs are over, and all messages gone; those that are still open."""
        end = self.loop.time() + hours * 3_600
        while self.loop.time() < end:
            await asyncio.sleep(5.0 if messages else 0.5)
            if not (messages and self.messages) and not self.open_jobs(ids):
                return []
        return self.open_jobs(ids) or ["messages are left"]

    @property
    def spent(self) -> int:
        """Nano-dollars that were charged to all clients, in all months."""
        items = self.clients.items.values()
        return sum(
            Row(item).number(name) for item in items for name in item if name.startswith("spent_")
        )

    @property
    def each(self) -> int:
        """What one completion costs, in nano-dollars."""
        used = Usage(input_tokens=INPUT, output_tokens=OUTPUT)
        return resolve("balanced").cost(used)

    @property
    def messages(self) -> int:
        return len(self.sqs.queues[self.settings.now_queue].messages)

    @property
    def letters(self) -> int:
        return len(self.sqs.queues[self.settings.now_dlq].messages)

    def _watch(self, action: str, payload: dict[str, Any]) -> None:
        values = payload.get("ExpressionAttributeValues", {})
        if values.get(":status", {}).get("S") == Status.DONE:
            id = payload["Key"]["id"]["S"]
            self.stored[id] += 1
            process = CURRENT.get()
            if process is not None:
                process.in_hand.discard(f"Summarize:\n\n{self.job(id).doc_id}")
