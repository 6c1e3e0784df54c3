"""Server-sent events out of bytes; the bytes stay with them."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from claude_core.errors import AnswerLost
from claude_core.limits import Limits
from claude_core.wire import Json

LONGEST_EVENT = 16_000_000
"""Bytes without an end of event after which it is no stream of ours."""
UNREADABLE = "Claude's answer could not be read; try again"


@dataclass(frozen=True, slots=True)
class Settled:
    """What a streamed answer came to."""

    model: str
    stop_reason: str | None
    usage: Json
    """As Claude counts it, whole."""
    cost: int
    """Nano-dollars."""


class Event(NamedTuple):
    """One event: what it says, and its bytes as Claude sent them, the blank line included."""

    type: str
    data: Json
    raw: bytes
    request_id: str | None = None
    """Claude's id of the call; with the first event alone, as the client's limits are."""
    limits: Limits | None = None
    settled: Settled | None = None
    """With the last event alone."""


async def events(chunks: AsyncIterator[bytes]) -> AsyncIterator[Event]:
    rest = b""
    async for chunk in chunks:
        rest += chunk
        if b"\r" in rest:
            rest = rest.replace(b"\r\n", b"\n")
        *whole, rest = rest.split(b"\n\n")
        for block in whole:
            if event := _event(block):
                yield event
        if len(rest) > LONGEST_EVENT:
            raise AnswerLost(UNREADABLE)


def _event(block: bytes) -> Event | None:
    """One block of https://html.spec.whatwg.org/multipage/server-sent-events.html; comments are
    none."""
    lines = [line[5:] for line in block.split(b"\n") if line.startswith(b"data:")]
    if not lines:
        return None
    try:
        # Decoded first: of bytes it would guess the encoding.
        data: Any = json.loads(b"\n".join(lines).decode())
    except ValueError as err:
        raise AnswerLost(UNREADABLE) from err
    if not (kind := type_of(data)):
        raise AnswerLost(UNREADABLE)
    return Event(kind, data, block + b"\n\n")


def type_of(data: Any) -> str:
    """What an object of the Messages API says that it is."""
    return str(data.get("type") or "") if isinstance(data, dict) else ""
