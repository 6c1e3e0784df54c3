"""One SQS queue."""

from dataclasses import dataclass
from typing import Any

from claude_core.aws import Aws
from claude_core.errors import AwsUnreachable

TOGETHER = 10
"""Entries of one request, and messages of one answer: SQS's own limits."""
LONGEST_DELAY_S = 900
LONGEST_VISIBILITY_S = 43_200
"""Counted from the receive: SQS's own limit."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it was received."""

    body: str
    handle: str
    receives: int
    sent: float
    """Seconds since the epoch."""
    id: str = ""


class Queue:
    """One queue by its URL. Every method raises AwsRefused and AwsUnreachable."""

    def __init__(self, aws: Aws, url: str) -> None:
        self._aws, self.url = aws, url

    async def send(self, bodies: list[str], *, group: str, delay_s: int = 0) -> None:
        """Send up to ten messages of one client, which is their group: a fair queue hands out the
        few of one client before the many of another.

        Raises:
            AwsUnreachable: some were not sent; sent once more, those that were come twice.
        """
        more = {"DelaySeconds": delay_s} if delay_s else {}
        entries: list[dict[str, Any]] = [
            {"Id": str(at), "MessageBody": body, "MessageGroupId": group, **more}
            for at, body in enumerate(bodies)
        ]
        answer = await self._call("SendMessageBatch", Entries=entries)
        if failed := answer.get("Failed"):
            raise AwsUnreachable(f"sqs took {len(bodies) - len(failed)} of {len(bodies)} messages")

    async def receive(self, most: int, *, wait_s: int, visibility_s: int) -> list[Message]:
        """Up to ten messages; waits for the first."""
        answer = await self._call(
            "ReceiveMessage",
            wait_s=wait_s,
            MaxNumberOfMessages=min(most, TOGETHER),
            WaitTimeSeconds=wait_s,
            VisibilityTimeout=visibility_s,
            MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
        )
        return [
            Message(
                body=one["Body"],
                handle=one["ReceiptHandle"],
                receives=int(one["Attributes"]["ApproximateReceiveCount"]),
                sent=int(one["Attributes"]["SentTimestamp"]) / 1_000,
                id=one["MessageId"],
            )
            for one in answer.get("Messages", [])
        ]

    async def hide(self, waits: list[tuple[str, int]]) -> list[bool]:
        """Hide up to ten messages for so many seconds from now; for each handle whether it could.

        0 shows it again at once.
        """
        return await self._batch(
            "ChangeMessageVisibilityBatch",
            [{"ReceiptHandle": handle, "VisibilityTimeout": wait_s} for handle, wait_s in waits],
        )

    async def delete(self, handles: list[str]) -> list[bool]:
        """Delete up to ten; for each whether it is gone: a stale handle deletes nothing."""
        return await self._batch(
            "DeleteMessageBatch", [{"ReceiptHandle": handle} for handle in handles]
        )

    async def _batch(self, action: str, asked: list[dict[str, Any]]) -> list[bool]:
        entries = [{"Id": str(at), **one} for at, one in enumerate(asked)]
        answer = await self._call(action, Entries=entries)
        failed = {int(one["Id"]) for one in answer.get("Failed", [])}
        return [at not in failed for at in range(len(asked))]

    async def _call(self, action: str, *, wait_s: float = 0.0, **asked: Any) -> dict[str, Any]:
        payload = {"QueueUrl": self.url, **asked}
        return await self._aws.call("sqs", f"AmazonSQS.{action}", payload, wait_s=wait_s)
