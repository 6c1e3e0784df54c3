"""One queue of the double on a virtual clock, for the double's own tests."""

import asyncio
import random
from typing import Any

from tests.cloud.sqs import Sqs
from tests.cloud.virtual import VirtualLoop

Message = dict[str, Any]


class Lane:
    """`settings` are those of `Queue`; every call is one of the JSON protocol."""

    def __init__(self, *, seed: int = 1, **settings: Any) -> None:
        self.loop = VirtualLoop()
        self.sqs = Sqs(self.loop.clock, random.Random(seed))
        self.url = self.sqs.add("jobs", **settings)

    def close(self) -> None:
        self.loop.close()

    def run(self, doing: Any) -> Any:
        return self.loop.run(doing)

    def wait(self, seconds: float) -> None:
        self.run(asyncio.sleep(seconds))

    async def call(self, action: str, **asked: Any) -> dict[str, Any]:
        return await self.sqs.call(action, {"QueueUrl": self.url, **asked})

    def do(self, action: str, **asked: Any) -> dict[str, Any]:
        found: dict[str, Any] = self.run(self.call(action, **asked))
        return found

    def send(self, *bodies: str, **asked: Any) -> None:
        for body in bodies:
            self.do("SendMessage", MessageBody=body, **asked)

    async def receiving(self, most: int = 1, wait_s: int = 0, **asked: Any) -> list[Message]:
        answer = await self.call(
            "ReceiveMessage",
            MaxNumberOfMessages=most,
            WaitTimeSeconds=wait_s,
            MessageSystemAttributeNames=["All"],
            **asked,
        )
        return list(answer.get("Messages", []))

    def receive(self, most: int = 1, wait_s: int = 0, **asked: Any) -> list[Message]:
        found: list[Message] = self.run(self.receiving(most, wait_s, **asked))
        return found

    def delete(self, message: Message) -> None:
        self.do("DeleteMessage", ReceiptHandle=message["ReceiptHandle"])

    def change(self, message: Message, seconds: int) -> None:
        handle = message["ReceiptHandle"]
        self.do("ChangeMessageVisibility", ReceiptHandle=handle, VisibilityTimeout=seconds)

    def counts(self) -> tuple[int, int, int]:
        """Messages that wait, are in flight, are delayed."""
        names = [f"ApproximateNumberOfMessages{what}" for what in ("", "NotVisible", "Delayed")]
        found = self.do("GetQueueAttributes", AttributeNames=names)["Attributes"]
        shown, flying, delayed = (int(found[name]) for name in names)
        return shown, flying, delayed
