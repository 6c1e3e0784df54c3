"""Many jobs on the local cloud by real worker processes, and what must hold when they are over."""

import asyncio
import json
import random
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from claude_core.aws import Aws
from claude_core.connections import AwsHttp
from claude_core.jobs.files import Files
from claude_core.jobs.intake import new_job
from claude_core.jobs.job import Job, Status
from claude_core.jobs.queue_message import Pointer
from claude_core.jobs.sqs import TOGETHER, Queue
from claude_core.jobs.store import Jobs
from claude_core.row import Row
from claude_core.settings import Runtime
from kit.deployment import Deployment
from kit.plan import Plan
from kit.rows import Clients
from local import cloud, deployed
from local.fake_claude.inprocess import serve
from local.paths import LOGS
from tests.rig.crew import Crew
from tests.rig.worker import POISON

VISIBILITY_S = 4
FAULTS = [
    "overloaded",
    "rate_limited retry_after=1",
    "server_error",
    "overloaded",
    "reset",
]
"""Twenty percent of all calls, in turn."""
SHARE, DUPLICATES, POISONED = 0.2, 0.1, 0.01


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it."""

    jobs: dict[str, Job]
    asked: dict[str, str]
    """What each job asked, by its id."""
    paid: int
    """Completions that Claude has billed."""
    kills: int
    crashes: int
    letters: int
    seconds: float
    row: Row
    """The client's, at the end."""

    def check(self) -> None:
        """Hold it against the promises.

        Raises:
            AssertionError: says which was broken.
        """
        for id, job in self.jobs.items():
            poisoned = POISON in self.asked[id]
            wanted = Status.DEAD if poisoned else Status.DONE
            assert job.status is wanted, f"{id} ended as {job.status}: {job.error}"
        done = [job for job in self.jobs.values() if job.status is Status.DONE]
        for job in done:
            told = json.loads(job.result)
            assert told["stop_reason"] == "end_turn", told
        assert self.letters >= len(self.jobs) - len(done)
        # Each attempt that counts has at most one completion behind it.
        excused = sum(job.attempts for job in done)
        assert len(done) <= self.paid <= excused, f"{self.paid} paid, {excused} attempts"
        (month,) = (one[5:] for one in self.row.item if one.startswith("left_"))
        left, spent = self.row.left(month), self.row.spent(month)
        assert left + spent + sum(self.row.open.values()) == self.row.budget


def run(jobs: int, *, workers: int = 4, seed: int = 1, say: Callable[[str], None]) -> Outcome:
    """Play it against the local cloud that is up.

    Raises:
        TimeoutError: jobs are still open after two minutes without one that ended.
    """
    deployment = Deployment(env="dev", region=None, profile=None, local=True)
    at, queue = deployment.here["Local"], deployment.outputs("QueueStack")
    clients, name = Clients(deployment), f"rig-{uuid.uuid4().hex[:8]}"
    clients.add(name, Plan(100_000.0, 1_000_000, ["balanced"]))
    row = clients.find(name)
    endpoint = at["AwsEndpoint"]
    (service,) = (
        one for one in deployed.services(endpoint, "QueueStack") if "Now" in one.arn.split("/")[-1]
    )
    sqs = cloud.client("sqs", endpoint)
    letters = sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
    url = sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": str(VISIBILITY_S)})[
        "QueueUrl"
    ]
    env = {
        **service.container.env,
        **cloud.credentials(endpoint),
        "NOW_QUEUE": url,
        "NOW_DLQ": letters,
        "VISIBILITY_S": str(VISIBILITY_S),
        "HEARTBEAT_S": "1",
        "SLOTS": "50",
    }
    began = time.monotonic()
    with serve() as fake:  # one of its own: what others ask of the cloud's is no part of this
        fake.plan(FAULTS, repeat=True, probability=SHARE, seed=seed)
        asked = asyncio.run(_submit(jobs, endpoint, queue, url, row.id, seed))
        say(f"{jobs} jobs submitted in {time.monotonic() - began:.0f} s")
        env["CLAUDE_URL"] = fake.url
        with Crew(env, workers=workers, seed=seed, log=LOGS / f"{name}.log") as crew:
            found = _watch(endpoint, queue["JobsTableName"], list(asked), crew, say)
        paid = fake.stats()["billed"]["completions"]
    count = sqs.get_queue_attributes(QueueUrl=letters, AttributeNames=["All"])["Attributes"]
    return Outcome(
        jobs=found,
        asked=asked,
        paid=paid,
        kills=crew.kills,
        crashes=crew.crashes,
        letters=int(count["ApproximateNumberOfMessages"]),
        seconds=time.monotonic() - began,
        row=clients.find(name),
    )


async def _submit(
    jobs: int, endpoint: str, queue: dict[str, str], url: str, client: str, seed: int
) -> dict[str, str]:
    """Jobs as the API keeps and sends them, some of them twice; what each asks, by its id."""
    rand, asked = random.Random(seed), dict[str, str]()
    access = cloud.credentials(endpoint)
    runtime = Runtime.from_env(access)
    async with AwsHttp() as http:
        aws = Aws(http, runtime)
        files = Files(aws, queue["FilesBucketName"])
        store, sender = Jobs(aws, table=queue["JobsTableName"], files=files), Queue(aws, url)

        async def keep(at: int) -> str:
            text = POISON if at < jobs * POISONED else "harbour"
            new = new_job(client, {"doc_id": str(at), "content": f"{text} {at}"})
            job = (await store.keep(new)).job
            asked[job.id] = f"{text} {at}"
            return Pointer(job.id, client, new.request.model.id, job.bytes).to_text()

        for start in range(0, jobs, 50):
            kept = await asyncio.gather(*(keep(at) for at in range(start, min(jobs, start + 50))))
            bodies = [*kept, *(body for body in kept if rand.random() < DUPLICATES)]
            for part in range(0, len(bodies), TOGETHER):
                await sender.send(bodies[part : part + TOGETHER], group=client)
    return asked


def _watch(
    endpoint: str, table: str, ids: list[str], crew: Crew, say: Callable[[str], None]
) -> dict[str, Job]:
    """Wait until all are over; kills end when nearly all are."""
    dynamodb = cloud.client("dynamodb", endpoint)
    found, moved = dict[str, Job](), time.monotonic()
    while len(found) < len(ids):
        left = [id for id in ids if id not in found]
        over = dict[str, Job]()
        for start in range(0, min(len(left), 2_000), 100):
            keys: list[Any] = [{"id": {"S": id}} for id in left[start : start + 100]]
            asked = {table: {"Keys": keys, "ConsistentRead": True}}
            answer = dynamodb.batch_get_item(RequestItems=asked)["Responses"][table]
            over |= {one["id"]["S"]: Job(one) for one in answer}
        over = {id: job for id, job in over.items() if job.status.over}
        if over:
            moved = time.monotonic()
            found |= over
            states = Counter(job.status.value for job in found.values())
            say(f"{dict(states)}; {crew.kills} killed, {crew.crashes} ended by poison")
        if len(found) >= len(ids) * 0.98:
            crew.spare()
        if time.monotonic() - moved > 120:
            raise TimeoutError(f"{len(left)} jobs are open, such as {left[:3]}")
        time.sleep(0.5)
    return found
