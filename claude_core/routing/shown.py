"""How a routed answer is shown: Claude's own events, with `route` in the first and the last."""

from collections.abc import AsyncGenerator

from claude_core.routing.choice import Choice
from claude_core.sse import Event
from claude_core.usage import Usage
from claude_core.wire import Json, to_bytes


class Shown:
    """One answer's events, on their way out."""

    def __init__(self, choice: Choice) -> None:
        self._choice = choice
        self._usage: Json = {}

    @property
    def usage(self) -> Usage:
        """As told so far; whole with the last `message_delta`."""
        return Usage.from_json(self._usage)

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
                shown = {**data, "route": self._choice.to_json(self.usage)}
            case _:
                return event
        raw = f"event: {event.type}\ndata: ".encode() + to_bytes(shown) + b"\n\n"
        return event._replace(data=shown, raw=raw)

    def _note(self, usage: Json | None) -> None:
        self._usage |= {name: value for name, value in (usage or {}).items() if value is not None}


async def joined(first: list[Event], rest: AsyncGenerator[Event]) -> AsyncGenerator[Event]:
    """What was read ahead, and the rest."""
    for event in first:
        yield event
    async for event in rest:
        yield event
