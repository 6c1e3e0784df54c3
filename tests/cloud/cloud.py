"""The doubles together, behind the methods of the kit's own `Aws`."""

import random
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from tests.cloud.dynamo import Dynamo
from tests.cloud.events import Events
from tests.cloud.refusing import Mistake, Payload, refused
from tests.cloud.s3 import S3
from tests.cloud.sqs import Sqs

WRONG = (Mistake, LookupError, TypeError, AttributeError, ValueError)
"""A request that makes no sense; the double looks no further than it must to find that out."""
SUBJECT = re.compile(r"[^\x00-\x1f\x7f]{1,99}")
LONGEST_MESSAGE = 262_144
Do = Callable[[], Awaitable[Any]]


class Around(Protocol):
    """Stands around every call: may wait before or after `do`, raise instead, or both."""

    async def __call__(self, service: str, action: str, payload: Payload, do: Do) -> Any: ...


class Service(Protocol):
    async def call(self, action: str, asked: Payload) -> dict[str, Any]: ...


class Cloud:
    """Stands in for `Aws`; `clock` gives seconds since the epoch, `chance` all that is drawn."""

    def __init__(
        self, clock: Callable[[], float] = time.time, chance: random.Random | None = None
    ) -> None:
        chance = chance or random.Random(0)
        self.dynamo, self.sqs = Dynamo(clock), Sqs(clock, chance)
        self.s3, self.events = S3(chance), Events(clock, chance)
        self.services: dict[str, tuple[str, Service]] = {
            "dynamodb": ("DynamoDB_20120810", self.dynamo),
            "sqs": ("AmazonSQS", self.sqs),
            "events": ("AWSEvents", self.events),
        }
        """By the name that is signed for, with the prefix of their targets; a test may add one."""
        self.topic: list[tuple[str, str]] = []
        """Subjects and messages that were published."""
        self.around: Around | None = None
        self.calls: Counter[str] = Counter()
        """By `service:action`, those that failed included."""
        self.mistakes: list[str] = []
        """What no caller may send and one did; also if that one caught the error."""

    async def call(
        self, service: str, target: str, payload: Payload, *, wait_s: float = 0.0
    ) -> dict[str, Any]:
        prefix, _, action = target.partition(".")

        async def do() -> dict[str, Any]:
            known, double = self.services[service]
            if prefix != known:
                raise Mistake(f"no target of {service}: {target}")
            return await double.call(action, payload)

        answer: dict[str, Any] = await self._through(service, action, payload, do)
        return answer

    async def publish(self, topic: str, *, subject: str, message: str) -> None:
        async def tell() -> None:
            if not SUBJECT.fullmatch(subject) or not 0 < len(message.encode()) <= LONGEST_MESSAGE:
                raise refused("InvalidParameter", "Invalid parameter: Subject or Message")
            self.topic.append((subject, message))

        asked = {"TopicArn": topic, "Subject": subject, "Message": message}
        await self._through("sns", "Publish", asked, tell)

    async def get_object(self, bucket: str, key: str, **more: Any) -> bytes:
        asked = {"Bucket": bucket, "Key": key, **more}
        body: bytes = await self._through(
            "s3", "GetObject", asked, lambda: self.s3.get_object(bucket, key, **more)
        )
        return body

    async def put_object(self, bucket: str, key: str, body: bytes, **more: Any) -> str:
        asked = {"Bucket": bucket, "Key": key, "Body": body, **more}
        version: str = await self._through(
            "s3", "PutObject", asked, lambda: self.s3.put_object(bucket, key, body, **more)
        )
        return version

    async def _through(self, service: str, action: str, payload: Payload, do: Do) -> Any:
        self.calls[f"{service}:{action}"] += 1
        try:
            if self.around is None:
                return await do()
            return await self.around(service, action, payload, do)
        except WRONG as err:
            self.mistakes.append(f"{service} {action}: {err!r}")
            raise
