"""What one step of a durable workflow does, and the time that there is for it."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from claude_core.incoming import Incoming
from claude_core.messages import Request
from claude_core.serve import Kit
from claude_core.wire import Json

SLOWEST = 30
"""Tokens a second that no model is taken to write slower than."""
BEGINNING_S = 60.0
"""What an answer may take besides."""
WHOLE_S = 880.0
"""Of a call of the function that has just begun; what a shorter time cuts off is tried again."""


@dataclass(frozen=True, slots=True)
class Time:
    """What there is of it."""

    left_s: Callable[[], float]
    """Of this call of the function."""
    ends_at: float
    """Of all of the execution, by the clock."""

    def rest_s(self) -> float:
        return self.ends_at - time.time()


@dataclass(frozen=True, slots=True)
class Call:
    """What one step does."""

    name: str
    do: Callable[[float], Awaitable[tuple[Json, int]]]
    """What is to be kept, and nano-dollars that it cost, before a deadline of the loop's clock."""
    worst: int = 0
    """Nano-dollars."""
    needs_s: float = 0.0


def proving(kit: Kit, client: str) -> Call:
    """That a client may call at all, and one request of its minute."""

    async def do(_: float) -> tuple[Json, int]:
        await kit.prove(client)
        return {}, 0

    return Call("begin", do)


def asking(kit: Kit, incoming: Incoming, client: str, request: Request) -> Call:
    """One answer: the message is kept. Claude is asked once; whoever runs the step asks again."""

    async def do(deadline: float) -> tuple[Json, int]:
        answer = await kit.answer(
            *(incoming, client, request), deadline=deadline, counted=True, retried=False
        )
        return answer.reply.message, answer.cost

    needs_s = BEGINNING_S + request.max_tokens / SLOWEST
    return Call(f"ask {request.model.id}", do, request.worst_cost, needs_s)
