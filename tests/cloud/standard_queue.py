"""A standard queue of SQS: messages, receipt handles, visibility, retention, redrive, no order."""

import hashlib
import heapq
import random
from collections.abc import Callable
from typing import Any

from claude_core.aws import AwsRefused
from tests.cloud.fairness import Fair, Message
from tests.cloud.polls import Found, Polls
from tests.cloud.receiving import Asked, Trouble
from tests.cloud.refusing import refused

LONGEST_S = 43_200
"""A message may be in flight for twelve hours from its receive on, however often that is changed:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html"""
MOST_FLYING = 120_000
EARLY_S = 1e-6
"""Clocks are floats: what is due so soon is due."""
LATE_S = 60.0


class Queue:
    """One queue; `clock` gives seconds since the epoch."""

    def __init__(
        self,
        name: str,
        *,
        clock: Callable[[], float],
        random: random.Random,
        trouble: Callable[[], Trouble] = Trouble,
        visibility_s: int = 30,
        retention_s: int = 345_600,
        delay_s: int = 0,
        wait_s: int = 0,
        dead_letters: "Queue | None" = None,
        max_receives: int = 0,
    ) -> None:
        self.name, self.visibility_s, self.retention_s = name, visibility_s, retention_s
        self.delay_s, self.wait_s = delay_s, wait_s
        self.dead_letters, self.max_receives = dead_letters, max_receives
        self.messages: dict[str, Message] = {}
        self._clock, self._random, self._trouble = clock, random, trouble
        self._fair, self._polls = Fair(random), Polls(self._due_in, self._now)
        self._count = 0
        self._due: list[tuple[float, int, Message, int]] = []
        """When a message becomes visible by itself; void unless its stamp is the newest."""
        self._ends: list[tuple[float, int, Message]] = []

    def send(self, body: str, group: str, attributes: dict[str, Any], delay_s: int) -> Message:
        now, id = self._now(), f"{self._random.getrandbits(128):032x}"
        md5 = hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()
        message = Message(id, body, md5, attributes, group, sent=now)
        self._accept(message)
        self._hide(message, now, delay_s)
        self._polls.serve()
        return message

    async def receive(self, asked: Asked, wait_s: int) -> Found:
        """At once what there is; if that is nothing, the first within `wait_s` seconds."""
        self._now()
        if not wait_s and self._fair.flying >= MOST_FLYING:
            raise refused("OverLimit", f"There are {MOST_FLYING} messages in flight already")
        found = self._take(asked)
        if found or not wait_s:
            self._polls.serve()
            return found
        return await self._polls.wait(lambda: self._take(asked), wait_s)

    def delete(self, handle: str) -> None:
        """A stale handle deletes nothing, and nobody is told."""
        now = self._now()
        message = self._of(handle)
        if message is None or message.handle != handle:
            return
        self._remove(message)
        if not message.late and self._random.random() < self._trouble().late:
            message.late = True
            self._accept(message)
            self._hide(message, now, self._random.random() * LATE_S)
        self._polls.serve()

    def change_visibility(self, handle: str, visibility_s: int) -> None:
        now = self._now()
        message = self._of(handle)
        if message is None or message.handle != handle:
            reason = "Message does not exist or is not available for visibility timeout change."
            raise invalid(handle, "ReceiptHandle", reason)
        if not message.flying:
            raise refused("MessageNotInflight", "The message referred to isn't in flight.")
        if now + visibility_s > message.received + LONGEST_S + EARLY_S:
            limit = f"Total VisibilityTimeout for the message is beyond the limit [{LONGEST_S}"
            raise invalid(visibility_s, "VisibilityTimeout", f"{limit} seconds]")
        self._hide(message, now, visibility_s)
        self._polls.serve()

    def counts(self) -> tuple[int, int, int]:
        """Messages that wait, that are in flight, and that are delayed; about, as at AWS."""
        self._now()
        shown, flying = self._fair.shown, self._fair.flying
        return shown, flying, max(0, len(self.messages) - shown - flying)

    def take_over(self, message: Message) -> None:
        """From a queue whose dead letters come here; it keeps its age, and so its end."""
        self._accept(message)
        self._fair.show(message)
        self._polls.serve()

    def _now(self) -> float:
        """The time, with all done that was due until then."""
        now = self._clock()
        until, due, ends = now + EARLY_S, self._due, self._ends
        changed = False
        while due and due[0][0] <= until:
            _, _, message, stamp = heapq.heappop(due)
            if message.stamp == stamp:
                changed = True
                self._fair.land(message)
                self._fair.show(message)
        while ends and ends[0][0] <= until:
            message = heapq.heappop(ends)[2]
            if message.id in self.messages:
                self._remove(message)
        if changed:
            self._polls.serve()
        return now

    def _take(self, asked: Asked) -> Found:
        found: Found = []
        again: list[Message] = []
        now, duplicates = self._clock(), self._trouble().duplicates
        while len(found) < asked.most and self._fair.flying < MOST_FLYING:
            message = self._fair.take()
            if message is None:
                break
            if self.dead_letters and message.receives >= self.max_receives:
                self._remove(message)
                self.dead_letters.take_over(message)
                continue
            message.receives += 1
            message.handle = f"{self.name}/{message.id}/{message.receives}"
            message.received = now
            message.first_received = message.first_received or now
            self._fair.fly(message)
            found.append(asked.answer(message))
            if not asked.visibility_s or (duplicates and self._random.random() < duplicates):
                again.append(message)
            else:
                self._hide(message, now, asked.visibility_s)
        for message in again:  # not within one answer
            self._hide(message, now, asked.visibility_s)
            self._fair.show(message)
        return found

    def _accept(self, message: Message) -> None:
        self.messages[message.id] = message
        self._count += 1
        heapq.heappush(self._ends, (message.sent + self.retention_s, self._count, message))

    def _remove(self, message: Message) -> None:
        del self.messages[message.id]
        message.stamp += 1
        self._fair.hide(message)
        self._fair.land(message)

    def _hide(self, message: Message, now: float, seconds: float) -> None:
        """Out of sight for so long, from now on."""
        message.stamp += 1
        if not seconds:
            self._fair.land(message)
            self._fair.show(message)
            return
        self._count += 1
        heapq.heappush(self._due, (now + seconds, self._count, message, message.stamp))
        if self._due[0][2] is message:
            self._polls.look_ahead()

    def _due_in(self) -> float | None:
        return self._due[0][0] - self._clock() if self._due else None

    def _of(self, handle: str) -> Message | None:
        name, _, rest = handle.partition("/")
        id, _, receives = rest.partition("/")
        if name != self.name or not receives.isdigit():
            message = f'The input receipt handle "{handle}" is not a valid receipt handle.'
            raise refused("ReceiptHandleIsInvalid", message)
        return self.messages.get(id)


def invalid(value: object, name: str, reason: str) -> AwsRefused:
    said = f"Value {value} for parameter {name} is invalid. Reason: {reason}"
    return refused("InvalidParameterValueException", said)
