"""The queue pattern's functions that a queue feeds, used as Lambda's poller uses them."""

import asyncio
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from claude_core.clients import ClientKey
from claude_core.jobs.files import upload_key
from claude_core.jobs.queue_message import wake_up
from claude_core.jobs.settings import InboxSettings, JobSettings
from claude_core.settings import Runtime
from lambda_src import batch, inbox
from local.fake_claude.remote import Fake
from tests.doubles import AwsDouble
from tests.handlers.dropping import notified
from tests.wiring.jobs import LARGE, asleep, keep

LOOKS = 20


def use_inbox(key: str, aws: AwsDouble) -> None:
    """A document too large for a row, a file of jobs for each lane and of one that names an upload,
    one that is refused; and, when the time is short, one that has to wait for another call."""
    client, bucket = ClientKey.parse(key).id, JobSettings.from_env().files_bucket
    upload = f"upload_{'u' * 22}"
    aws.boto("s3").put_object(Bucket=bucket, Key=upload_key(client, upload), Body=b"hi")
    lines: list[dict[str, Any]] = [{"lane": "now"}, {"long": True}, {"lane": "batch"}]
    texts = [json.dumps({"doc_id": "a", "content": "hi", **line}) for line in lines]
    texts.append(json.dumps({"doc_id": "a", "upload": upload}))
    dropped = {"a.txt": "x" * 250_000, "b.jsonl": "\n".join(texts), "c.exe": "x", "d.txt": "hi"}
    bodies = []
    for name, said in dropped.items():
        place = f"inbox/{client}/{name}"
        put = aws.boto("s3").put_object(Bucket=bucket, Key=place, Body=said.encode())
        bodies.append(notified(place, put["VersionId"], bucket=bucket))
    asleep(aws)
    with alone(inbox, "_inbox"):
        fed(inbox, bodies[:3], left_s=110)
        fed(inbox, bodies[2:], left_s=30)
    again = [
        json.loads(body)["Records"][0] for body in sent(aws, InboxSettings.from_env().inbox_queue)
    ]
    assert [one["s3"]["object"]["key"] for one in again] == [f"inbox/{client}/d.txt"]


def use_batch(key: str, aws: AwsDouble) -> None:
    """A batch from its wake-up to its end: an answer too large for a row, and two jobs that fail in
    it and go on with the workers, one of them long."""
    Fake(os.environ["CLAUDE_URL"]).batching(after_s=0.0)
    client, told = ClientKey.parse(key).id, JobSettings.from_env()
    asked: list[dict[str, Any]] = [
        {"content": f"[[fake:{LARGE}]]", "max_tokens": 21_000},
        {"content": "[[fake:overloaded]]", "max_tokens": 100},
        {"content": "[[fake:overloaded]]", "max_tokens": 30_000},
    ]
    jobs = [{"doc_id": "a", "model": "fast", "lane": "batch", **one} for one in asked]
    (first, *_) = asyncio.run(keep(client, told, Runtime.from_env(), jobs))
    asleep(aws)
    with alone(batch, "_function"):
        fed(batch, [wake_up(first.model)], left_s=300)
        for look in range(LOOKS):
            if sent(aws, told.now_queue) and sent(aws, told.long_queue) and told_of(aws):
                return
            fed(batch, [sent(aws, told.batch_queue)[look]], left_s=300)
    raise AssertionError(f"the batch was not over after {LOOKS} looks")


@contextmanager
def alone(module: ModuleType, built: str) -> Iterator[None]:
    """A process of its own for a function: its loop, and nothing built yet."""
    runner = asyncio.Runner()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_runner", runner)
        patch.setattr(module, built, None)
        try:
            yield
        finally:
            if made := getattr(module, built):
                runner.run(made.close())
            runner.close()


def fed(module: ModuleType, bodies: list[str], *, left_s: float) -> None:
    """One call of a function with messages of its queue, none of which fails."""
    records = [{"messageId": str(at), "body": body} for at, body in enumerate(bodies)]
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: left_s * 1_000)
    assert module.handler({"Records": records}, context) == {"batchItemFailures": []}


def sent(aws: AwsDouble, url: str) -> list[str]:
    """Bodies of the messages that a queue was sent, in order."""
    return [
        entry["MessageBody"]
        for service, action, asked in aws.calls
        if (service, action) == ("amazonsqs", "SendMessageBatch") and asked["QueueUrl"] == url
        for entry in asked["Entries"]
    ]


def told_of(aws: AwsDouble) -> int:
    """Jobs that the bus was told of."""
    return sum(len(asked["Entries"]) for service, _, asked in aws.calls if service == "awsevents")
