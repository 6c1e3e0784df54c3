"""One queue of dead letters: messages that their queue gave up, or a worker."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from claude_core.jobs.queue_message import Pointer

HIDDEN_S = 120
"""A letter that was read is out of sight for so long; if we are interrupted, it is back then."""
WAIT_S = 1
"""A poll that does not wait asks only some of the servers, and may miss what is there."""
TOGETHER = 10


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter as it was received."""

    id: str
    body: str
    handle: str
    group: str

    @property
    def pointer(self) -> Pointer | None:
        """What it carries of a job; None: it is none of the kit's."""
        try:
            return Pointer.from_text(self.body)
        except ValueError:
            return None


class DeadLetters:
    """One queue of dead letters, and the queue that they come from."""

    def __init__(self, sqs: Any, *, dead: str, queue: str) -> None:
        """
        Args:
            dead, queue: their names.
        """
        self._sqs = sqs
        self._dead = sqs.get_queue_url(QueueName=dead)["QueueUrl"]
        self._queue = sqs.get_queue_url(QueueName=queue)["QueueUrl"]

    def read(self) -> Iterator[list[Letter]]:
        """All letters, each once, some at a time; they are out of sight meanwhile."""
        seen: set[str] = set()
        while found := self._receive():
            new = [letter for letter in found if letter.id not in seen]
            seen |= {letter.id for letter in new}
            yield new

    def send(self, letters: list[Letter]) -> list[Letter]:
        """Send up to ten messages to the queue they come from; those that it has taken."""
        return self._batch(
            self._sqs.send_message_batch,
            self._queue,
            letters,
            lambda letter: {"MessageBody": letter.body, "MessageGroupId": letter.group},
        )

    def delete(self, letters: list[Letter]) -> None:
        """Delete up to ten; one that stays is found again by the next run."""
        self._batch(
            self._sqs.delete_message_batch,
            self._dead,
            letters,
            lambda letter: {"ReceiptHandle": letter.handle},
        )

    def show(self, letters: list[Letter]) -> None:
        """Put up to ten back in sight."""
        self._batch(
            self._sqs.change_message_visibility_batch,
            self._dead,
            letters,
            lambda letter: {"ReceiptHandle": letter.handle, "VisibilityTimeout": 0},
        )

    def _receive(self) -> list[Letter]:
        answer = self._sqs.receive_message(
            QueueUrl=self._dead,
            MaxNumberOfMessages=TOGETHER,
            WaitTimeSeconds=WAIT_S,
            VisibilityTimeout=HIDDEN_S,
            MessageSystemAttributeNames=["MessageGroupId"],
        )
        return [
            Letter(
                id=one["MessageId"],
                body=one["Body"],
                handle=one["ReceiptHandle"],
                group=one.get("Attributes", {}).get("MessageGroupId", "unknown"),
            )
            for one in answer.get("Messages", [])
        ]

    @staticmethod
    def _batch(action: Any, url: str, letters: list[Letter], entry: Any) -> list[Letter]:
        if not letters:
            return []
        entries = [{"Id": str(at), **entry(letter)} for at, letter in enumerate(letters)]
        failed = {int(one["Id"]) for one in action(QueueUrl=url, Entries=entries).get("Failed", [])}
        return [letter for at, letter in enumerate(letters) if at not in failed]
