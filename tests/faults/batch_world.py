"""The batch lane's surroundings in memory: tables, queues, clients, Claude's batches; one clock."""

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from claude_core.aws import Aws
from claude_core.budget import Budget
from claude_core.clients import ClientKey, new_key
from claude_core.jobs.files import Files
from claude_core.jobs.intake import new_job
from claude_core.jobs.job import Job
from claude_core.jobs.sending import Sending
from claude_core.jobs.settings import JobSettings, StartSettings
from claude_core.jobs.store import Jobs
from claude_core.message_batches import MessageBatches
from claude_core.patient import PatientAws
from claude_core.row import Item, Row
from lambda_src.batch_built import build
from lambda_src.batch_lane import Lane
from tests.cloud.cloud import Cloud
from tests.cloud.index import Projection
from tests.cloud.keys import Keys
from tests.cloud.receiving import Trouble
from tests.cloud.virtual import VirtualLoop
from tests.faults.batch_claude import SimBatches
from tests.faults.failpoints import Failpoints
from tests.faults.process import but_killed, task_factory
from tests.faults.world import Quiet

WAITING = frozenset(
    ("client", "bytes", "fence", "attempts", "doc_id", "result_bucket", "lane", "model", "status")
)
STARTING = StartSettings(cluster="cluster", now_service="now", long_service="long")
MODELS = ["balanced", "fast"]


class Ecs:
    """Services that run already."""

    async def call(self, action: str, asked: dict[str, Any]) -> dict[str, Any]:
        return {"services": [{"status": "ACTIVE", "desiredCount": 1}]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a world is like."""

    seed: int = 1
    break_at: tuple[int, str] | None = None
    outage_s: float = 0.0
    trouble: float = 0.0
    """Share of calls, to AWS and to Claude, that fail."""
    latency_s: float = 0.002
    kill_every: int = 0
    """Steps that a process lives, on average; 0: nobody kills."""
    quiet_after_s: float = 7_200.0
    """From then on nobody kills."""
    duplicates: float = 0.0
    lag_s: float = 1.0
    """That indexes follow their table by, at most."""
    takes_s: float = 150.0
    blips: int = 1
    cuts: int = 1
    unlisted_s: float = 90.0
    timeout_s: float = 300.0


class BatchWorld:
    """Everything outside of the function, and what is known of it afterwards."""

    def __init__(self, shape: Shape, loop: VirtualLoop) -> None:
        self.shape, self.loop, self.now = shape, loop, loop.clock
        loop.set_task_factory(cast(Any, task_factory))
        loop.set_exception_handler(but_killed)
        self.rand = random.Random(shape.seed)
        self.cloud = Cloud(self.now, self.rand)
        self.points = Failpoints(
            self.rand,
            break_at=shape.break_at,
            outage_s=shape.outage_s,
            trouble=shape.trouble,
            latency_s=shape.latency_s,
        )
        self.cloud.around = self.points.around
        self.cloud.services["ecs"] = ("AmazonEC2ContainerServiceV20141113", Ecs())
        self.cloud.sqs.trouble = Trouble(duplicates=shape.duplicates)
        self.cloud.dynamo.lag = lambda: self.rand.random() * shape.lag_s
        self.cloud.events.buses.add("bus")
        for bucket in ("files", "copies"):
            self.cloud.s3.add(bucket, listable=False)
        self.jobs_table = self.cloud.dynamo.add(
            "jobs",
            Keys("id"),
            by_client=(Keys("client", "listed"), Projection(keys_only=True)),
            waiting=(Keys("waiting", "created"), Projection(include=WAITING)),
        )
        self.clients = self.cloud.dynamo.add("clients", Keys("id"))
        self.cloud.dynamo.add("history", Keys("client", "day"))
        urls = {name: self.cloud.sqs.add(name) for name in ("now", "long", "now-dlq", "long-dlq")}
        dead = self.cloud.sqs.add("batch-dlq")
        batch = self.cloud.sqs.add(
            "batch",
            visibility_s=round(6 * shape.timeout_s + 5),
            retention_s=14 * 86_400,
            dead_letters=self.cloud.sqs.queues[dead],
            max_receives=100,
        )
        self.settings = JobSettings(
            jobs_table="jobs",
            files_bucket="files",
            now_queue=urls["now"],
            now_dlq=urls["now-dlq"],
            long_queue=urls["long"],
            long_dlq=urls["long-dlq"],
            batch_queue=batch,
            batch_dlq=dead,
            event_bus="bus",
            result_buckets="copies",
        )
        self.claude = SimBatches(
            self.now,
            self.rand,
            self.points,
            takes_s=shape.takes_s,
            blips=shape.blips,
            cuts=shape.cuts,
            unlisted_s=shape.unlisted_s,
        )
        self.telemetry = Quiet()

    def client(self, *, budget: int = 10**13, **more: Any) -> str:
        """A new client's id."""
        key = ClientKey.parse(new_key(f"c{len(self.clients.items):07d}"))
        row: Item = {
            "id": {"S": key.id},
            "name": {"S": key.id},
            "key_1": {"S": key.sha256},
            "budget": {"N": str(budget)},
            "rpm": {"N": "1000"},
            "models": {"SS": MODELS},
            "disabled": {"BOOL": False},
            "open": {"M": {}},
        }
        self.clients.add(row | more)
        return key.id

    async def submit(self, client: str, fates: Sequence[str] = (), **asked: Any) -> str:
        """A job as the API keeps and sends it; its id."""
        aws = cast(Aws, self.cloud)
        store = Jobs(aws, table="jobs", files=Files(aws, "files"), now=self.utc)
        plain = {"doc_id": f"doc-{len(self.jobs_table.items)}", "content": "hello"}
        body = {"lane": "batch", **(asked if "request" in asked else plain | asked)}
        new = new_job(client, body, buckets=frozenset({"copies"}))
        job = (await store.keep(new, f"key-{len(self.jobs_table.items)}")).job
        self.claude.fates[job.id] = fates
        await self._sending(aws).send([job])
        return job.id

    async def cancel(self, id: str) -> None:
        aws = cast(Aws, self.cloud)
        store = Jobs(aws, table="jobs", files=Files(aws, "files"), now=self.utc)
        await store.cancel(self.job(id).client, id)

    def lane(self) -> Lane:
        """The function's process, new."""
        aws = PatientAws(cast(Aws, self.cloud))
        budget = Budget.build(
            aws,
            table="clients",
            history_table="history",
            topic="topic",
            trouble=self.telemetry.trouble,
        )
        budget._now = self.utc
        return build(
            aws=aws,
            batches=cast(MessageBatches, self.claude),
            budget=budget,
            sending=self._sending(aws),
            telemetry=self.telemetry,
            jobs=self.settings,
            now=self.now,
            rand=self.rand,
        )

    def _sending(self, aws: Aws) -> Sending:
        return Sending.build(aws, self.settings, STARTING, trouble=self.telemetry.trouble)

    def utc(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(self.now(), dt.UTC)

    def job(self, id: str) -> Job:
        return Job(self.jobs_table.items[id])

    def row(self, client: str) -> Row:
        return Row(self.clients.items[client])
