"""AWS as one simulated process reaches it: with latency, and with what may go wrong on the way."""

import asyncio
import random
from collections.abc import Callable
from typing import Any

from claude_core.aws import AwsRefused
from claude_core.errors import AwsUnreachable
from tests.cloud.dynamo import Dynamo
from tests.cloud.sqs import Sqs


class SimAws:
    """Stands in for `claude_core.aws.Aws`; all processes share what is behind it."""

    def __init__(
        self,
        sqs: Sqs,
        dynamo: Dynamo,
        rand: random.Random,
        *,
        trouble: float = 0.0,
        break_at: tuple[int, str] | None = None,
    ) -> None:
        """
        Args:
            trouble: share of calls that fail, half of them after they were done.
            break_at: one call by its number, and "before" or "after".
        """
        self._sqs, self._dynamo, self._rand = sqs, dynamo, rand
        self._trouble, self._break_at = trouble, break_at
        self.calls = 0
        self.objects: dict[tuple[str, str], bytes] = {}
        self.events: list[dict[str, Any]] = []
        self.before: Callable[[str, dict[str, Any]], None] = lambda action, payload: None
        self.watch: Callable[[str, dict[str, Any]], None] = lambda action, payload: None

    async def call(
        self, service: str, target: str, payload: dict[str, Any], *, wait_s: float = 0.0
    ) -> dict[str, Any]:
        action = target.partition(".")[2]
        breaks = self._breaks()
        await asyncio.sleep(0.002 + self._rand.random() * 0.02)
        if breaks == "before":
            raise AwsUnreachable(f"{service} did not answer in time")
        self.before(action, payload)
        answer = await self._do(service, action, payload)
        await asyncio.sleep(0.002 + self._rand.random() * 0.02)
        if breaks == "after":
            raise AwsUnreachable(f"{service} did not answer in time")
        return answer

    async def publish(self, topic: str, *, subject: str, message: str) -> None:
        await asyncio.sleep(0.01)

    async def get_object(self, bucket: str, key: str) -> bytes:
        await asyncio.sleep(0.01)
        try:
            return self.objects[bucket, key]
        except KeyError as err:
            raise AwsRefused("NoSuchKey", "no such key", {}) from err

    async def put_object(self, bucket: str, key: str, body: bytes, **_: Any) -> None:
        await asyncio.sleep(0.01)
        self.objects[bucket, key] = body

    async def _do(self, service: str, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        if service == "dynamodb":
            answer = self._dynamo.do(action, payload)
            self.watch(action, payload)
            return answer
        if service == "sqs":
            return await self._sqs.call(action, payload)
        assert service == "events"
        self.events += payload["Entries"]
        return {"FailedEntryCount": 0}

    def _breaks(self) -> str | None:
        self.calls += 1
        if self._break_at is not None:
            at, how = self._break_at
            return how if self.calls == at else None
        if self._trouble and self._rand.random() < self._trouble:
            return "before" if self._rand.random() < 0.5 else "after"
        return None
