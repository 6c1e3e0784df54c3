"""An answer as the server-sent events of the Messages API."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from local.fake_claude.answer import Answer


@dataclass(frozen=True, slots=True)
class Event:
    """One event, and whether a token was spent to make it."""

    name: str
    data: dict[str, Any] | None
    """None for a token that is not shown."""
    costs: bool = False

    def encode(self) -> bytes:
        if self.data is None:
            return b""
        written = json.dumps(self.data, ensure_ascii=False, separators=(",", ":"))
        return f"event: {self.name}\ndata: {written}\n\n".encode()


PING = Event("ping", {"type": "ping"})


def events(answer: Answer) -> Iterator[Event]:
    """Every event of a stream that goes well, in order."""
    opening = {**answer.to_json(), "content": [], "stop_reason": None, "stop_sequence": None}
    opening |= {"stop_details": None, "usage": answer.usage(min(1, answer.output_tokens))}
    yield _event("message_start", message=opening)
    if answer.extra:  # clients must live with events that they do not know
        yield _event("fake_future_event", future=True)
    for index, block in enumerate(answer.blocks):
        yield _event("content_block_start", index=index, content_block=block.opening())
        if index == 0:
            yield PING
        for piece in block.pieces:
            if block.hidden:
                yield Event("content_block_delta", None, costs=True)
            else:
                yield _event("content_block_delta", True, index=index, delta=block.delta(piece))
        if block.kind == "thinking":
            signature = {"type": "signature_delta", "signature": block.to_json()["signature"]}
            yield _event("content_block_delta", index=index, delta=signature)
        yield _event("content_block_stop", index=index)
    delta = {
        name: getattr(answer, name) for name in ("stop_reason", "stop_sequence", "stop_details")
    }
    yield _event("message_delta", delta=delta, usage=answer.usage())
    yield _event("message_stop")


def error_event(kind: str, message: str, request_id: str) -> Event:
    """What comes instead of the rest when Claude gives up in the middle."""
    error = {"type": kind, "message": message}
    return Event("error", {"type": "error", "error": error, "request_id": request_id})


def _event(name: str, costs: bool = False, **data: Any) -> Event:
    return Event(name, {"type": name, **data}, costs)
