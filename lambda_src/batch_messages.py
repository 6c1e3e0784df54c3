"""What the batch lane's queue carries: that jobs wait, and that a batch is to be looked at.

Nothing is in them that a row does not say, too, so one that comes twice, or late, does no harm.
"""

import json
from dataclasses import dataclass

from claude_core.errors import AwsUnreachable, KitError
from claude_core.jobs.sqs import LONGEST_DELAY_S, Queue
from claude_core.reached import reached


@dataclass(frozen=True, slots=True)
class Wake:
    """Jobs of a model wait, or may."""

    model: str
    again: bool = False
    """A second look: if it finds nothing there is no third."""

    def to_text(self) -> str:
        return json.dumps({"wake": self.model, **({"again": True} if self.again else {})})


@dataclass(frozen=True, slots=True)
class Poll:
    """A batch is to be looked at."""

    intent: str
    turn: int = 1
    """Counts these messages; one that is not the latest is a duplicate."""

    def to_text(self) -> str:
        return json.dumps({"poll": self.intent, "turn": self.turn})


def parsed(text: str) -> Wake | Poll:
    """A message's body.

    Raises:
        ValueError: it is not one of ours.
    """
    match json.loads(text):
        case {"wake": str(model), **more} if model:
            return Wake(model, more.get("again") is True)
        case {"poll": str(intent), "turn": int(turn)} if intent:
            return Poll(intent, turn)
        case {"poll": str(intent)} if intent:
            return Poll(intent)
    raise ValueError("not a message of this kit")


def named(err: KitError) -> str:
    """An error for the log. Claude's own words stay out: they may quote what is asked."""
    return err.message if isinstance(err, AwsUnreachable) else type(err).__name__


class Post:
    """Sends them to the lane's own queue. Raises AwsUnreachable."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    async def wake(self, wake: Wake, delay_s: float = 0) -> None:
        await self._send(wake.to_text(), wake.model, delay_s)

    async def poll(self, poll: Poll, delay_s: float = 0) -> None:
        await self._send(poll.to_text(), poll.intent, delay_s)

    async def _send(self, text: str, group: str, delay_s: float) -> None:
        delay = max(0, min(LONGEST_DELAY_S, round(delay_s)))
        with reached("the queue"):
            await self._queue.send([text], group=group, delay_s=delay)
