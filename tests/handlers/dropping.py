"""The function of the inbox, with one client, against moto: files are put, and it is told."""

import asyncio
import json
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus

from claude_core.jobs.settings import InboxSettings
from lambda_src.inbox import Inbox
from tests.doubles import AwsDouble
from tests.queueing import BUCKET, Queueing

PLENTY_S = 300.0


def notified(key: str, version: str, *, size: int = 1, bucket: str = BUCKET) -> str:
    """A message as S3 itself sends it to a queue."""
    found = {"key": quote_plus(key, safe="/"), "size": size, "eTag": "e", "sequencer": "0055AE"}
    record = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": bucket}, "object": {**found, "versionId": version}},
    }
    return json.dumps({"Records": [record]})


def bridged(key: str, version: str) -> str:
    """The same as EventBridge delivers it."""
    found = {"key": key, "size": 1, "etag": "e", "version-id": version, "sequencer": "0055AE"}
    return json.dumps(
        {
            "version": "0",
            "detail-type": "Object Created",
            "source": "aws.s3",
            "detail": {"version": "0", "bucket": {"name": BUCKET}, "object": found},
        }
    )


class Dropping:
    """One process of the function."""

    def __init__(self, aws: AwsDouble, **settings: str) -> None:
        self.aws = aws
        self.settings = aws.settings("http://127.0.0.1:9")  # nobody is there, or asked
        self.key, self.client = aws.add_client()
        self.cloud = Queueing(aws)
        self._jobs = self.cloud.settings(**settings)
        self._runner = asyncio.Runner()
        self._inbox: Inbox | None = None
        aws.calls.clear()

    def put(self, name: str, body: bytes | str, **metadata: str) -> str:
        """Put a file into the client's folder; S3's message of it."""
        key = f"inbox/{self.client.id}/{name}"
        said = {option.replace("_", "-"): value for option, value in metadata.items()}
        return notified(key, self.cloud.put(key, body, Metadata=said))

    def drop(self, name: str, body: bytes | str, **metadata: str) -> str:
        """Put a file there, and let the function do what it does."""
        message = self.put(name, body, **metadata)
        assert self.tell(message) == []
        return message

    def tell(self, *bodies: str, left_s: Callable[[], float] = lambda: PLENTY_S) -> list[str]:
        """Hand messages to the function; the bodies of those that failed."""
        records = [{"messageId": str(uuid.uuid4()), "body": body} for body in bodies]
        answer = self._runner.run(self._handle({"Records": records}, left_s))
        failed = {one["itemIdentifier"] for one in answer["batchItemFailures"]}
        return [one["body"] for one in records if one["messageId"] in failed]

    async def _handle(self, event: dict[str, Any], left_s: Callable[[], float]) -> dict[str, Any]:
        self._inbox = self._inbox or self._process()
        return await self._inbox.handle(event, left_s)

    def _process(self) -> Inbox:
        again = InboxSettings(inbox_queue=self.cloud.urls["inbox"])
        told = self._jobs, self.cloud.starting(), again, self.aws.runtime
        return Inbox(self.settings, *told)

    def race(self, body: str, processes: int) -> None:
        """Hand one message to several processes at once, as a queue may."""
        event = {"Records": [{"messageId": "1", "body": body}]}

        async def one() -> None:
            inbox = self._process()
            assert await inbox.handle(event, lambda: PLENTY_S) == {"batchItemFailures": []}
            await inbox.close()

        async def all_of_them() -> None:
            await asyncio.gather(*(one() for _ in range(processes)))

        self._runner.run(all_of_them())

    def crash(self) -> None:
        """Go on as another process, which knows nothing of this one."""
        if self._inbox:
            self._runner.run(self._inbox.close())
        self._inbox = None

    def note(self, name: str) -> str:
        """Why a file was refused; empty if it was not."""
        key = f"refused/{self.client.id}/{name}.txt"
        return self.cloud.text(key) if key in self.cloud.keys("refused/") else ""

    def close(self) -> None:
        self.crash()
        self._runner.close()
