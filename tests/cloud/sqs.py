"""SQS in memory by its JSON protocol: standard queues, as strict as the real ones.

A stale receipt handle deletes nothing and changes no visibility, limits are limits, batches fail
entry by entry. `Trouble` adds what a standard queue may do and rarely does.
"""

import random
from collections.abc import Callable
from typing import Any

from tests.cloud import sending
from tests.cloud.batches import entries_of, entry_by_entry
from tests.cloud.receiving import Asked, Trouble
from tests.cloud.refusing import Mistake, Parameters, Payload, refused, typed, unreachable
from tests.cloud.standard_queue import LONGEST_S, Queue, invalid

HOST = "https://sqs.us-east-1.amazonaws.com/123456789012/"
MOST_RECEIVED, LONGEST_POLL_S = 10, 20
SYSTEM = {
    *("All", "SenderId", "SentTimestamp", "ApproximateReceiveCount", "MessageGroupId"),
    *("ApproximateFirstReceiveTimestamp", "AWSTraceHeader"),
}
BATCH = Parameters("QueueUrl Entries")
DELETE, DELETE_ENTRY = Parameters("QueueUrl ReceiptHandle"), Parameters("Id ReceiptHandle")
CHANGE = Parameters("QueueUrl ReceiptHandle VisibilityTimeout")
CHANGE_ENTRY = Parameters("Id ReceiptHandle VisibilityTimeout")
ATTRIBUTES = Parameters("QueueUrl", "AttributeNames")
RECEIVE = Parameters(
    "QueueUrl",
    "MaxNumberOfMessages VisibilityTimeout WaitTimeSeconds MessageSystemAttributeNames "
    "MessageAttributeNames",
)


class Sqs:
    """The queues of an account by URL; `trouble` may be changed at any time."""

    def __init__(self, clock: Callable[[], float], random: random.Random) -> None:
        self.queues: dict[str, Queue] = {}
        self.trouble = Trouble()
        self._clock, self._random = clock, random
        self._actions: dict[str, Callable[[Queue, Payload], dict[str, Any]]] = {
            "SendMessage": self._send,
            "SendMessageBatch": self._send_batch,
            "DeleteMessage": self._delete,
            "DeleteMessageBatch": self._delete_batch,
            "ChangeMessageVisibility": self._change,
            "ChangeMessageVisibilityBatch": self._change_batch,
            "GetQueueAttributes": self._attributes,
        }

    def add(self, name: str, **settings: Any) -> str:
        """Make a queue with the settings of `Queue`; its URL."""
        queue = Queue(
            name, clock=self._clock, random=self._random, trouble=lambda: self.trouble, **settings
        )
        self.queues[HOST + name] = queue
        return HOST + name

    async def call(self, action: str, asked: Payload) -> dict[str, Any]:
        queue = self.queues.get(asked.get("QueueUrl", ""))
        if queue is None:
            raise refused("QueueDoesNotExist", "The specified queue does not exist.")
        if action == "ReceiveMessage":
            answer = await self._receive(queue, asked)
        elif action in self._actions:
            answer = self._actions[action](queue, asked)
        else:
            raise Mistake(f"this SQS has no {action}")
        if self.trouble.lost and self._random.random() < self.trouble.lost:
            raise unreachable("sqs")
        return answer

    def _send(self, queue: Queue, asked: Payload) -> dict[str, Any]:
        sending.ONE.check(asked)
        return sending.send(queue, asked)

    def _send_batch(self, queue: Queue, asked: Payload) -> dict[str, Any]:
        BATCH.check(asked)
        entries = entries_of(asked, sending.ENTRY)
        total = sum(map(sending.size, entries))
        if total > sending.LONGEST_BODY:
            raise refused(
                "BatchRequestTooLong",
                f"Batch requests cannot be longer than {sending.LONGEST_BODY} bytes. "
                f"You have sent {total} bytes.",
            )
        return entry_by_entry(entries, lambda entry: sending.send(queue, entry), self._fails)

    async def _receive(self, queue: Queue, asked: Payload) -> dict[str, Any]:
        RECEIVE.check(asked)
        most, wait_s = (
            typed(asked, "MaxNumberOfMessages", int, 1),
            typed(asked, "WaitTimeSeconds", int, queue.wait_s),
        )
        if not 1 <= most <= MOST_RECEIVED:
            reason = f"Must be between 1 and {MOST_RECEIVED}, if provided."
            raise invalid(most, "MaxNumberOfMessages", reason)
        if not 0 <= wait_s <= LONGEST_POLL_S:
            reason = f"Must be >= 0 and <= {LONGEST_POLL_S}, if provided."
            raise invalid(wait_s, "WaitTimeSeconds", reason)
        visibility_s = _visibility(asked, queue.visibility_s)
        system = tuple(typed(asked, "MessageSystemAttributeNames", list, []))
        if not SYSTEM.issuperset(system):
            raise Mistake(f"no such attributes: {system}")
        given = tuple(typed(asked, "MessageAttributeNames", list, []))
        found = await queue.receive(Asked(most, visibility_s, system, given), wait_s)
        # Nothing found is no empty list, but no list.
        return {"Messages": found} if found else {}

    def _delete(self, queue: Queue, asked: Payload) -> dict[str, Any]:
        DELETE.check(asked)
        queue.delete(typed(asked, "ReceiptHandle", str))
        return {}

    def _delete_batch(self, queue: Queue, asked: Payload) -> dict[str, Any]:
        def delete(entry: Payload) -> dict[str, Any]:
            queue.delete(typed(entry, "ReceiptHandle", str))
            return {}

        BATCH.check(asked)
        return entry_by_entry(entries_of(asked, DELETE_ENTRY), delete, self._fails)

    def _change(self, queue: Queue, asked: Payload) -> dict[str, Any]:
        CHANGE.check(asked)
        queue.change_visibility(typed(asked, "ReceiptHandle", str), _visibility(asked, 0))
        return {}

    def _change_batch(self, queue: Queue, asked: Payload) -> dict[str, Any]:
        def change(entry: Payload) -> dict[str, Any]:
            queue.change_visibility(typed(entry, "ReceiptHandle", str), _visibility(entry, 0))
            return {}

        BATCH.check(asked)
        return entry_by_entry(entries_of(asked, CHANGE_ENTRY), change, self._fails)

    def _attributes(self, queue: Queue, asked: Payload) -> dict[str, Any]:
        ATTRIBUTES.check(asked)
        shown, flying, delayed = queue.counts()
        known = {
            "ApproximateNumberOfMessages": str(shown),
            "ApproximateNumberOfMessagesNotVisible": str(flying),
            "ApproximateNumberOfMessagesDelayed": str(delayed),
            "VisibilityTimeout": str(queue.visibility_s),
            "MessageRetentionPeriod": str(queue.retention_s),
            "DelaySeconds": str(queue.delay_s),
            "ReceiveMessageWaitTimeSeconds": str(queue.wait_s),
            "MaximumMessageSize": str(sending.LONGEST_BODY),
            "QueueArn": f"arn:aws:sqs:us-east-1:123456789012:{queue.name}",
        }
        wanted = typed(asked, "AttributeNames", list, [])
        if unknown := {*wanted} - {*known, "All"}:
            raise refused("InvalidAttributeName", f"Unknown Attribute {unknown}.")
        found = known if "All" in wanted else {name: known[name] for name in wanted}
        return {"Attributes": found} if found else {}

    def _fails(self) -> bool:
        share = self.trouble.failed
        return bool(share) and self._random.random() < share


def _visibility(asked: Payload, otherwise: int) -> int:
    seconds: int = typed(asked, "VisibilityTimeout", int, otherwise)
    if not 0 <= seconds <= LONGEST_S:
        raise invalid(seconds, "VisibilityTimeout", f"Must be between 0 and {LONGEST_S}.")
    return seconds
