"""The doubles together, behind the methods of the kit's own `Aws`."""

import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from tests.cloud.dynamo import Dynamo
from tests.cloud.refusing import Mistake, Payload
from tests.cloud.sqs import Sqs

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
        self.services: dict[str, tuple[str, Service]] = {
            "dynamodb": ("DynamoDB_20120810", self.dynamo),
            "sqs": ("AmazonSQS", self.sqs),
        }
        """By the name that is signed for, with the prefix of their targets; a test may add one."""
        self.topic: list[tuple[str, str]] = []
        """Subjects and messages that were published."""
        self.around: Around | None = None
        self.calls: Counter[str] = Counter()
        """By `service:action`, those that failed included."""
        self.mistakes: list[str] = []
        """What no caller may send and one did; also if that one caught the error."""

    async def call(self, service: str, target: str, payload: Payload) -> dict[str, Any]:
        prefix, double = self.services[service]
        called, _, action = target.partition(".")
        if called != prefix:
            raise Mistake(f"no target of {service}: {target}")
        answer: dict[str, Any] = await self._through(
            service, action, payload, lambda: double.call(action, payload)
        )
        return answer

    async def publish(self, topic: str, *, subject: str, message: str) -> None:
        async def tell() -> None:
            self.topic.append((subject, message))

        asked = {"TopicArn": topic, "Subject": subject, "Message": message}
        await self._through("sns", "Publish", asked, tell)

    async def _through(self, service: str, action: str, payload: Payload, do: Do) -> Any:
        self.calls[f"{service}:{action}"] += 1
        try:
            if self.around is None:
                return await do()
            return await self.around(service, action, payload, do)
        except Mistake as err:
            self.mistakes.append(f"{service} {action}: {err}")
            raise
