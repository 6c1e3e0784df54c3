"""Which visible message a standard queue hands out next: fair between groups, roughly by age.

A group with fewer messages in flight goes first, so that a tenant's million does not hold up
another's ten. Within a group, and between equal groups, the order is that of age with some
disorder: a standard queue promises none.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
"""

import heapq
import random
from collections import OrderedDict
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

DISORDER_S = 1.0
"""Messages sent so close together may be handed out in any order."""
CHOSEN_FROM = 3
"""Groups with equally few in flight, of which the longest waiting, one is drawn."""


@dataclass(slots=True, eq=False)
class Message:
    """One message; its times are seconds since the epoch."""

    id: str
    body: str
    md5: str
    attributes: dict[str, Any]
    group: str
    """The empty one for messages that were sent without any."""
    sent: float
    receives: int = 0
    """Across all queues that it was in."""
    handle: str = ""
    """The newest receipt handle; any other is stale."""
    first_received: float = 0.0
    received: float = 0.0
    flying: bool = False
    """Received, its visibility not over, and not deleted."""
    shown: bool = False
    """Waits to be handed out; a duplicate does so while it is flying."""
    late: bool = False
    """Came back after its deletion."""
    stamp: int = 0
    """Of its newest timer; older ones are void."""


@dataclass(slots=True, eq=False)
class _Group:
    name: str
    heap: list[tuple[float, int, Message]] = field(default_factory=list)
    """By age; a message that is no longer shown is skipped when it comes up."""
    shown: int = 0
    flying: int = 0
    rank: int | None = None
    """In flight, as it was ranked by; None while it has nothing to hand out."""


class Fair:
    """The visible messages of one queue, and how many each group has in flight."""

    def __init__(self, random: random.Random) -> None:
        self._random = random
        self._groups: dict[str, _Group] = {}
        self._ranks: dict[int, OrderedDict[str, _Group]] = {}
        self._count = 0
        self.shown = self.flying = 0

    def show(self, message: Message) -> None:
        if message.shown:
            return
        message.shown = True
        self._count += 1
        group = self._of(message)
        age = message.sent + self._random.random() * DISORDER_S
        heapq.heappush(group.heap, (age, self._count, message))
        group.shown += 1
        self.shown += 1
        self._rank(group)

    def hide(self, message: Message) -> None:
        if message.shown:
            message.shown = False
            self._hidden(self._of(message))

    def take(self) -> Message | None:
        """The next one, no longer shown."""
        if not self.shown:
            return None
        rank = self._ranks[min(self._ranks)]
        first = list(islice(rank.values(), CHOSEN_FROM))
        group = first[int(self._random.random() * len(first))]
        while True:
            message = heapq.heappop(group.heap)[2]
            if message.shown:
                message.shown = False
                self._hidden(group)
                return message

    def fly(self, message: Message) -> None:
        if not message.flying:
            message.flying = True
            self._flies(message, 1)

    def land(self, message: Message) -> None:
        if message.flying:
            message.flying = False
            self._flies(message, -1)

    def _hidden(self, group: _Group) -> None:
        group.shown -= 1
        self.shown -= 1
        if not group.shown:
            group.heap.clear()
        self._rank(group)

    def _flies(self, message: Message, more: int) -> None:
        group = self._of(message)
        group.flying += more
        self.flying += more
        self._rank(group)

    def _of(self, message: Message) -> _Group:
        group = self._groups.get(message.group)
        if group is None:
            group = self._groups[message.group] = _Group(message.group)
        return group

    def _rank(self, group: _Group) -> None:
        rank = group.flying if group.shown else None
        if rank == group.rank:
            return
        if group.rank is not None:
            old = self._ranks[group.rank]
            del old[group.name]
            if not old:
                del self._ranks[group.rank]
        if rank is not None:
            self._ranks.setdefault(rank, OrderedDict())[group.name] = group
        group.rank = rank
