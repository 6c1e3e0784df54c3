"""An answer as a value: blocks of tokens, why it ended, what it cost."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from local.fake_claude.cache import InputUsage

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One content block; each of its pieces is one token."""

    kind: Literal["text", "thinking", "tool_use"]
    pieces: tuple[str, ...]
    tool: str = ""
    id: str = ""
    hidden: bool = False
    """Thinking that is paid for but not shown, as it is by default."""
    signature: str = ""

    def to_json(self) -> Json:
        said = "" if self.hidden else "".join(self.pieces)
        match self.kind:
            case "text":
                return {"type": "text", "text": said}
            case "thinking":
                return {"type": "thinking", "thinking": said, "signature": self.signature}
            case "tool_use":
                return {**self._tool(), "input": _read_json(said)}

    def opening(self) -> Json:
        """The block as `content_block_start` shows it: still empty."""
        match self.kind:
            case "text":
                return {"type": "text", "text": ""}
            case "thinking":
                return {"type": "thinking", "thinking": "", "signature": ""}
            case "tool_use":
                return {**self._tool(), "input": {}}

    def delta(self, piece: str) -> Json:
        match self.kind:
            case "text":
                return {"type": "text_delta", "text": piece}
            case "thinking":
                return {"type": "thinking_delta", "thinking": piece}
            case "tool_use":
                return {"type": "input_json_delta", "partial_json": piece}

    def _tool(self) -> Json:
        return {"type": "tool_use", "id": self.id, "name": self.tool, "caller": {"type": "direct"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole answer. `first` gives the part of it that was out when something happened."""

    model: str
    blocks: tuple[Block, ...]
    stop_reason: str | None = "end_turn"
    stop_sequence: str | None = None
    stop_details: Json | None = None
    input_usage: InputUsage = field(default_factory=InputUsage)
    usage_override: Mapping[str, Any] = field(default_factory=dict)
    service_tier: str = "standard"
    extra: Mapping[str, Any] = field(default_factory=dict)
    id: str = field(default_factory=lambda: f"msg_{uuid.uuid4().hex[:24]}")

    @property
    def tokens(self) -> int:
        return sum(len(block.pieces) for block in self.blocks)

    @property
    def output_tokens(self) -> int:
        """What is billed: as for real, an answer that says nothing still costs one token."""
        ended = self.stop_reason not in (None, "max_tokens")
        return max(self.tokens, 1) if ended else self.tokens

    def first(self, count: int, stop_reason: str | None) -> "Answer":
        """The answer as it stands after `count` tokens."""
        kept = []
        for block in self.blocks:
            if count <= 0:
                break
            kept.append(replace(block, pieces=block.pieces[:count]))
            count -= len(block.pieces)
        return replace(
            self,
            blocks=tuple(kept),
            stop_reason=stop_reason,
            stop_sequence=None,
            stop_details=None,
        )

    def usage(self, output_tokens: int | None = None) -> Json:
        """The `usage` of the answer, or of its beginning where a count is given."""
        thought = sum(len(block.pieces) for block in self.blocks if block.kind == "thinking")
        return {
            **self.input_usage.to_json(),
            "output_tokens": self.output_tokens if output_tokens is None else output_tokens,
            "output_tokens_details": {"thinking_tokens": thought},
            "server_tool_use": None,
            "service_tier": self.service_tier,
            "inference_geo": "global",
            **self.usage_override,
        }

    def to_json(self) -> Json:
        return {
            "id": self.id,
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "content": [block.to_json() for block in self.blocks],
            "stop_reason": self.stop_reason,
            "stop_sequence": self.stop_sequence,
            "stop_details": self.stop_details,
            "usage": self.usage(),
            **self.extra,
        }


def _read_json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:  # cut short by max_tokens
        return {}
