"""What Claude answered, read for what the kit must know; the bytes stay as they came."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from claude_core.errors import AnswerLost
from claude_core.usage import Usage
from claude_core.wire import Json


@dataclass(frozen=True, slots=True)
class Reply:
    """One whole answer of Claude: the bytes as they came, and what the kit reads from them."""

    body: bytes
    message: Json
    request_id: str | None = None
    attempts: int = 1
    headers: Mapping[str, str] = field(default_factory=dict)
    """As they came: `anthropic-ratelimit-*` among them."""

    @classmethod
    def from_bytes(
        cls,
        body: bytes,
        request_id: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> "Reply":
        """Read an answer; a partial one is never taken for a whole one.

        Raises:
            AnswerLost: not a message, or one without a stop reason, which was cut off.
        """
        try:
            message = json.loads(body)
        except ValueError as err:
            raise AnswerLost("Claude's answer could not be read; try again") from err
        if not isinstance(message, dict) or message.get("type") != "message":
            raise AnswerLost("Claude's answer was not a message; try again")
        if not message.get("stop_reason"):
            raise AnswerLost("Claude's answer was cut off before its end; try again")
        return cls(body, message, request_id, headers=headers or {})

    @property
    def usage(self) -> Usage:
        return Usage.from_json(self.message.get("usage") or {})

    @property
    def stop_reason(self) -> str:
        return str(self.message["stop_reason"])

    @property
    def text(self) -> str:
        """The text blocks joined; thinking and tool calls are not text."""
        content = self.message.get("content") or []
        return "".join(block["text"] for block in content if block.get("type") == "text")
