"""What a receive asks for, what it answers, and what may go wrong with it by the rules."""

from dataclasses import dataclass
from typing import Any

from tests.cloud.fairness import Message


@dataclass(frozen=True, slots=True)
class Trouble:
    """What standard queues are allowed to do, as shares of all cases."""

    duplicates: float = 0.0
    """Messages handed to two receivers at once; the newer handle deletes, the older is stale."""
    late: float = 0.0
    """Deleted messages that come once more, within a minute."""
    failed: float = 0.0
    """Entries of a batch that fail, though nothing is wrong with them."""
    lost: float = 0.0
    """Calls that are done, and whose answer does not arrive."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A receive, checked."""

    most: int
    visibility_s: int
    system: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()

    def answer(self, message: Message) -> dict[str, Any]:
        """The message as it stands now: its handle is that of this receive."""
        found: dict[str, Any] = {
            "MessageId": message.id,
            "ReceiptHandle": message.handle,
            "MD5OfBody": message.md5,
            "Body": message.body,
        }
        if self.system:
            found["Attributes"] = self._system(message)
        if self.attributes and (given := self._given(message)):
            found["MessageAttributes"] = given
        return found

    def _system(self, message: Message) -> dict[str, str]:
        known = {
            "ApproximateReceiveCount": str(message.receives),
            "SentTimestamp": str(int(message.sent * 1_000)),
            "ApproximateFirstReceiveTimestamp": str(int(message.first_received * 1_000)),
        }
        if message.group:
            known["MessageGroupId"] = message.group
        if "All" in self.system:
            return known
        return {name: known[name] for name in self.system if name in known}

    def _given(self, message: Message) -> dict[str, Any]:
        if "All" in self.attributes:
            return message.attributes
        return {name: one for name, one in message.attributes.items() if name in self.attributes}
