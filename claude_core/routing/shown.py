"""How a routed answer is shown: Claude's own events, with `route` in the first and the last."""

from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from claude_core.reply import Reply
from claude_core.routing.choice import Choice
from claude_core.sse import Event
from claude_core.usage import Usage
from claude_core.wire import Json, to_bytes


@dataclass(frozen=True, slots=True)
class Ended:
    """What an answer came to."""

    usage: Usage
    stop_reason: str | None
    content: Any
    """Its blocks; of a stream, without what calls of tools say."""


class Shown:
    """One answer's events, on their way out."""

    def __init__(self, choice: Choice) -> None:
        self._choice = choice
        self._usage: Json = {}
        self._blocks: list[tuple[Json, list[str]]] = []
        self._stop_reason: str | None = None

    @property
    def usage(self) -> Usage:
        """As told so far; whole with the last `message_delta`."""
        return Usage.from_json(self._usage)

    @property
    def ended(self) -> Ended:
        """What it came to, after its last `message_delta`."""
        content = [{**block, "text": "".join(texts)} for block, texts in self._blocks]
        return Ended(self.usage, self._stop_reason, content)

    def event(self, event: Event) -> Event:
        """The event as it is shown."""
        data = event.data
        match event.type:
            case "message_start":
                message = data["message"]
                self._note(message.get("usage"))
                shown = {**data, "message": {**message, "route": self._choice.to_json()}}
            case "message_delta":
                self._note(data.get("usage"))
                self._stop_reason = (data.get("delta") or {}).get("stop_reason")
                shown = {**data, "route": self._choice.to_json(self.usage)}
            case "content_block_start" | "content_block_delta":
                with suppress(AttributeError, LookupError, TypeError):  # of a shape not known
                    self._gather(data)
                return event
            case _:
                return event
        raw = f"event: {event.type}\ndata: ".encode() + to_bytes(shown) + b"\n\n"
        return event._replace(data=shown, raw=raw)

    def _gather(self, data: Json) -> None:
        """What the next question will know this answer by."""
        if block := data.get("content_block"):
            kept = {name: block.get(name) for name in ("type", "id")}
            self._blocks.append((kept, ["" + (block.get("text") or "")]))
        elif text := data["delta"].get("text"):
            self._blocks[-1][1].append("" + text)

    def _note(self, usage: Json | None) -> None:
        self._usage |= {name: value for name, value in (usage or {}).items() if value is not None}


def explained(reply: Reply, choice: Choice) -> bytes:
    """A whole message as it came, with `route` at its end."""
    told = b',"route":' + to_bytes(choice.to_json(reply.usage)) + b"}"
    return reply.body.rstrip().removesuffix(b"}") + told


async def joined(first: list[Event], rest: AsyncGenerator[Event]) -> AsyncGenerator[Event]:
    """What was read ahead, and the rest."""
    for event in first:
        yield event
    async for event in rest:
        yield event
