"""Jobs in every state: handed in by HTTP, worked on by the worker, shown, listed and redriven."""

import asyncio
import json
from collections.abc import Callable
from contextlib import closing
from typing import Any, cast

import pytest

from claude_core import errors
from claude_core.aws import Aws
from claude_core.clients import ClientKey, new_key
from claude_core.jobs import results, store
from claude_core.jobs.files import Files
from claude_core.jobs.intake import new_job
from claude_core.jobs.job import Job, Status
from claude_core.jobs.queue_message import Pointer
from claude_core.jobs.store import Jobs
from claude_core.row import Item
from kit.fates import anew
from local.fake_claude.inprocess import Fake
from tests.contracts.recording import Json, Moment, Recording, held_by, in_order, load
from tests.doubles import AwsDouble
from tests.faults.aws import SimAws
from tests.faults.pace import run
from tests.faults.world import Shape, World
from tests.handlers.submitting import Submitting
from tests.queueing import BUCKET, TABLE, Queueing

ROW_BYTES = 400
"""Of a body, or a result, that a row holds here, so that what is too large for one stays small."""
LARGE = "a document " * 60
DOC = {"doc_id": "report.txt", "content": "a text"}
REQUEST = {
    "model": "fast",
    "max_tokens": 50,
    "messages": [{"role": "user", "content": "hello"}],
}
IDEMPOTENCY_KEY, BETA = "report-7", "token-efficient-tools-2025-02-19"
SHAPE = Shape(seed=1, longest_s=2.0)


def write(aws: AwsDouble, _: Fake) -> Recording:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "ROW_BYTES", ROW_BYTES)
        patch.setattr(results, "ROW_BYTES", ROW_BYTES)
        recording = _submit(aws)
        _work(recording)
    return recording


def _submit(aws: AwsDouble) -> Recording:
    """Jobs of each lane and kind, queued; one cancelled; an upload that no job has named yet."""
    with closing(Submitting(aws, result_buckets="copies")) as api:
        api.submit({**DOC, "instruction": "Say"}, idempotency_key=IDEMPOTENCY_KEY)
        api.submit({**DOC, "long": True, "model": "deep", "max_tokens": 900}, key=_deep(api))
        api.submit({**DOC, "lane": "batch"})
        api.submit({**DOC, "content": LARGE, "result_bucket": "copies"})
        api.submit({"request": REQUEST}, anthropic_beta=BETA)
        api.submit({"doc_id": "up.txt", "upload": api.upload(b"an uploaded text")})
        cancelled = api.submit({**DOC, "doc_id": "cancelled"})
        assert api(f"DELETE /v1/jobs/{cancelled}")[0] == 200
        upload = api.upload(b"put before the upgrade")
        moment = held_by(aws, TABLE)
        moment.objects = objects(api.cloud)
        moment.queues = {
            name: [one["MessageBody"] for one in api.cloud.entries(name)]
            for name in ("now", "long", "batch")
        }
        client = api.client.id
    known = {"client": client, "upload": upload}
    return Recording({"submitted": moment}, known, {client: "{client}"})


def _deep(api: Submitting) -> str:
    """The client's key, which may use the dearest model from now on."""
    api.aws.boto("dynamodb").update_item(
        TableName=api.aws.table,
        Key={"id": {"S": api.client.id}},
        UpdateExpression="ADD models :deep",
        ExpressionAttributeValues={":deep": {"SS": ["deep"]}},
    )
    return api.key


def _work(recording: Recording) -> None:
    """Jobs done, failed and dead, one that runs, one that has failed once, one that is paused."""
    moment = Moment()

    async def doing(world: World) -> None:
        client = world.client()
        world.clients.change(client, models={"SS": ["balanced", "fast"]})
        recording.names[client], recording.known["worked"] = "{client}", client
        world.worker().kill()  # so that the next has another name than the worker that reads
        process, claude = world.worker(), world.claude
        for content in ("short", LARGE):
            await _until_over(world, await _sent(world, client, doc_id="done", content=content))
        await _until_over(
            world, await _sent(world, client, doc_id="copied", result_bucket="copies")
        )
        claude.scripted = [errors.UpstreamRefused("no", status=400, type="invalid_request_error")]
        await _until_over(world, await _sent(world, client, doc_id="failed"))
        claude.scripted = [errors.AnswerLost("the connection broke")] * 5
        await _until_over(world, await _sent(world, client, doc_id="dead"))
        claude.scripted = [errors.UpstreamBroken("500")]
        failed = await _sent(world, client, doc_id="failed once")
        await _until(lambda: world.job(failed).failures == 1)
        claude.scripted = [errors.RateLimited("slow down", retry_after_s=30.0)]
        await _sent(world, client, doc_id="paused")
        await _until(lambda: any(id.startswith("pause#") for id in world.jobs_table.items))
        running = await _sent(world, client, doc_id="running", model="fast")
        await _until(lambda: world.job(running).status is Status.RUNNING)
        moment.tables = {TABLE: in_order(world.jobs_table.items.values())}
        moment.objects = {key: body.decode() for (_, key), body in world.aws.objects.items()}
        queue = world.sqs.queues[world.settings.now_queue]
        moment.queues = {"now": [one.body for one in queue.messages.values()]}
        recording.events += [one["Detail"] for one in world.aws.events]
        process.kill()

    run(SHAPE, doing)
    recording.moments["worked on"] = moment


async def _sent(world: World, client: str, **more: str) -> str:
    """A job that is kept and sent; its id."""
    quiet = SimAws(world.sqs, world.dynamo, world.rand)
    quiet.objects = world.aws.objects
    aws = cast(Aws, quiet)
    kept = Jobs(aws, table=TABLE, files=Files(aws, BUCKET), now=world.utc)
    new = new_job(client, {"content": "a text", **more}, buckets=frozenset({"copies"}))
    job = (await kept.keep(new)).job
    _tell(world, job)
    return job.id


def _tell(world: World, job: Job) -> None:
    text = Pointer(job.id, job.client, job.model, job.bytes).to_text()
    world.sqs.queues[world.settings.now_queue].send(text, job.client, {}, 0)


async def _until_over(world: World, id: str) -> None:
    assert not await world.until_over([id], hours=1)


async def _until(holds: Callable[[], bool]) -> None:
    """Wait for it, ten minutes of virtual time at most."""
    for _ in range(12_000):
        if holds():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it does not come to hold")


def read(recording: Recording, aws: AwsDouble) -> Json:
    """What today's code makes of them: what owners see, and what becomes of each."""
    return {
        name: {"seen": _seen(recording, moment, aws), "worked": _worked(moment)}
        for name, moment in recording.moments.items()
    }


def objects(cloud: Queueing) -> dict[str, str]:
    """What is in the bucket, by key."""
    names: list[str] = cloud.keys()
    return {name: cloud.text(name) for name in names}


def client_row(id: str) -> tuple[str, Item]:
    """A client of this id that may do everything: its key, and its row."""
    key = new_key(id)
    row: Item = {
        "id": {"S": id},
        "name": {"S": id},
        "key_1": {"S": ClientKey.parse(key).sha256},
        "budget": {"N": str(10**13)},
        "rpm": {"N": "100000"},
        "models": {"SS": ["fast", "balanced", "deep"]},
        "disabled": {"BOOL": False},
        "open": {"M": {}},
    }
    return key, row


def _jobs(moment: Moment) -> list[Job]:
    return [Job(item) for item in moment.tables[TABLE] if item["id"]["S"].startswith("job_")]


def _seen(recording: Recording, moment: Moment, aws: AwsDouble) -> Json:
    aws.reset()
    (client,) = {job.client for job in _jobs(moment)}
    key, row = client_row(client)
    with closing(Submitting(aws, result_buckets="copies")) as api:
        load(aws, moment)
        aws.boto("dynamodb").put_item(TableName=aws.table, Item=row)
        for name, text in moment.objects.items():
            api.cloud.put(name, text, ContentType="text/plain")

        def ask(route: str, body: Any = None, **headers: str) -> Json:
            return api(route, body, key=key, **headers)[1]

        found = {
            "shown": {job.id: ask(f"GET /v1/jobs/{job.id}") for job in _jobs(moment)},
            "listed": [one["job_id"] for one in ask("GET /v1/jobs?limit=100")["data"]],
            "failed": [one["job_id"] for one in ask("GET /v1/jobs?status=failed")["data"]],
        }
        if client == recording.known["client"]:
            again = {**DOC, "instruction": "Say"}
            upload = {"doc_id": "late.txt", "upload": recording.known["upload"]}
            made = ask("POST /v1/jobs", upload)["job_id"]
            found |= {
                "the same job": ask("POST /v1/jobs", again, idempotency_key=IDEMPOTENCY_KEY),
                "of the upload": api.asked(made),
            }
        found["cancelled"] = {
            job.id: ask(f"DELETE /v1/jobs/{job.id}").get("status", "refused")
            for job in _jobs(moment)
        }
    return found


def _worked(moment: Moment) -> Json:
    """By job: its status, attempts and crashes when a worker has done what was queued and dead
    ones were redriven. Not its cost: prices are no contract."""
    ids = [job.id for job in _jobs(moment) if job.lane == "now"]
    (client,) = {job.client for job in _jobs(moment)}

    async def doing(world: World) -> None:
        world.jobs_table.add(*moment.tables[TABLE])
        world.clients.add(client_row(client)[1])
        world.aws.objects |= {(BUCKET, key): text.encode() for key, text in moment.objects.items()}
        queue = world.sqs.queues[world.settings.now_queue]
        for name in ("now", "long"):
            for text in moment.queues.get(name, ()):
                queue.send(text, client, {}, 0)
        for job in map(world.job, ids):
            if job.status is Status.DEAD:
                again = {"TableName": TABLE, "Key": {"id": {"S": job.id}}}
                world.dynamo.do("UpdateItem", again | anew(job, world.utc()))
                _tell(world, job)
        world.worker()
        await world.until_over(ids, hours=2)

    world = run(SHAPE, doing)
    assert not world.telemetry.crashes
    told = {json.loads(one["Detail"])["job_id"] for one in world.aws.events}
    return {
        id: {
            "status": job.status.value,
            "attempts": job.attempts,
            "crashes": job.crashes,
            "told": id in told,
        }
        for id, job in ((id, world.job(id)) for id in ids)
    }
