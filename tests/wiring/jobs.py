"""The queue pattern's function of jobs and its workers, used as callers and queues use them."""

import asyncio
import json
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from claude_core.aws import Aws
from claude_core.clients import ClientKey
from claude_core.connections import AwsHttp
from claude_core.jobs.files import Files
from claude_core.jobs.intake import new_job
from claude_core.jobs.job import Job
from claude_core.jobs.queue_message import Pointer
from claude_core.jobs.settings import JobSettings, StartSettings, WorkerSettings
from claude_core.jobs.store import Jobs
from claude_core.settings import Runtime, Settings
from lambda_src import jobs
from tests.doubles import AwsDouble
from tests.events import event, parsed
from worker_src import __main__ as program
from worker_src import built, worker

LARGE = json.dumps({"text": "\U0001f600" * 80_000}, ensure_ascii=False)
"""What Claude is to say: at four bytes a character too much for a row, as the question is."""
DONE_S = 20.0


def use_jobs(key: str, aws: AwsDouble) -> None:
    """Every route: a job of each lane, one too large for a row, one of an upload; the services have
    no tasks."""
    runner = asyncio.Runner()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs, "_runner", runner)
        patch.setattr(jobs, "_api", None)
        asleep(aws)

        def call(route: str, body: Any = None, path: str | None = None) -> dict[str, Any]:
            sent = event(route, body, key=key)
            if path:
                sent["pathParameters"] = {"id": path}
            status, answer = parsed(jobs.handler(sent, None))
            assert status < 300, (route, answer)
            return answer

        try:
            for more in ({}, {"long": True}, {"lane": "batch"}, {"content": "x" * 250_000}):
                made = call("POST /v1/jobs", {"doc_id": "a", "content": "hi", **more})
            offered = call("POST /v1/uploads", {"bytes": 2, "content_type": "text/plain"})
            put = httpx2.put(offered["url"], content=b"hi", headers=offered["headers"])
            assert put.status_code == 200, put.text
            call("POST /v1/jobs", {"doc_id": "b", "upload": offered["upload"]})
            call("GET /v1/jobs")
            keep_result(aws, made["job_id"])
            call("GET /v1/jobs/{id}", path=made["job_id"])
            call("DELETE /v1/jobs/{id}", path=made["job_id"])
            call("GET /health")
            call("GET /openapi.json")
        finally:
            if jobs._api:
                runner.run(jobs._api.close())
            runner.close()


def asleep(aws: AwsDouble) -> None:
    """Services without a task, at which nobody has looked; from here on calls count."""
    table, started = JobSettings.from_env().jobs_table, StartSettings.from_env()
    for service in (started.now_service, started.long_service):
        aws.boto("dynamodb").delete_item(TableName=table, Key={"id": {"S": f"start#{service}"}})
        aws.boto("ecs").update_service(cluster=started.cluster, service=service, desiredCount=0)
    aws.calls.clear()


def keep_result(aws: AwsDouble, id: str) -> None:
    """As a worker keeps one that is too large for a row; not the function's doing."""
    told, seen = JobSettings.from_env(), len(aws.calls)
    key = f"results/{id}.json"
    aws.boto("s3").put_object(Bucket=told.files_bucket, Key=key, Body=b'{"content": []}')
    aws.boto("dynamodb").update_item(
        TableName=told.jobs_table,
        Key={"id": {"S": id}},
        UpdateExpression="SET result_at = :at",
        ExpressionAttributeValues={":at": {"S": key}},
    )
    del aws.calls[seen:]


def use_worker(key: str, aws: AwsDouble) -> None:
    """A job whose request and result are too large for a row, one that Claude refuses at first, and
    a message that is none of ours; then SIGTERM."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(worker, "POLL_S", 1)
        patch.setattr(built, "HEAR_S", 0.2)
        asyncio.run(_work(ClientKey.parse(key).id, aws))


async def _work(client: str, aws: AwsDouble) -> None:
    told, takes = JobSettings.from_env(), WorkerSettings.from_env()
    long = takes.takes == "long"
    runtime = replace(Runtime.from_env(), port=0)
    # Once of just this question: another worker's client asks another one.
    refused = f"[[fake:rate_limited retry_after=1 times=1]] {client}"
    asked = [
        {"doc_id": "a", "content": said, "model": "fast", "max_tokens": 21_000, "long": long}
        for said in (f"[[fake:{LARGE}]]", refused)
    ]
    made = await keep(client, told, runtime, asked)
    texts = [Pointer(job.id, client, job.model, job.bytes).to_text() for job in made]
    url = told.long_queue if long else told.now_queue
    for text in ("none of ours", *texts):
        aws.boto("sqs").send_message(QueueUrl=url, MessageBody=text, MessageGroupId=client)
    aws.calls.clear()
    serving = asyncio.create_task(program.serve(Settings.from_env(), told, takes, runtime))
    done = ("amazonsqs:SendMessageBatch", "dynamodb:PutItem")  # the latter: a day that is over
    await _until(lambda: _told(aws) == 2 and all(map(aws.count, done)), serving)
    os.kill(os.getpid(), signal.SIGTERM)
    await serving


async def keep(
    client: str, told: JobSettings, runtime: Runtime, asked: list[dict[str, Any]]
) -> list[Job]:
    """Jobs in the table, not sent yet."""
    aws = Aws(AwsHttp(), runtime)
    kept = Jobs(aws, table=told.jobs_table, files=Files(aws, told.files_bucket))
    made = [(await kept.keep(new_job(client, one))).job for one in asked]
    await aws.close()
    return made


def _told(aws: AwsDouble) -> int:
    """Jobs that the bus was told of."""
    return sum(len(asked["Entries"]) for service, _, asked in aws.calls if service == "awsevents")


async def _until(holds: Callable[[], bool], serving: "asyncio.Task[None]") -> None:
    async with asyncio.timeout(DONE_S):
        while not holds():
            assert not serving.done(), serving.exception()
            await asyncio.sleep(0.05)
