"""A prompt, taken apart into blocks in the order in which the prompt cache sees them."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local.fake_claude import tokens

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Segment:
    """One block of the prompt: its fingerprint, its size, and whether a cached prefix ends here."""

    digest: bytes
    tokens: int
    cache_control: Mapping[str, Any] | None


def segments(body: Body) -> list[Segment]:
    """All that Claude reads: tools, then system, then messages; an output schema is not counted."""
    found = [_segment("tool", tool) for tool in body.get("tools") or []]
    found += [_segment("system", block) for block in _blocks(body.get("system"))]
    for message in body["messages"]:
        found += [_segment(message["role"], block) for block in _blocks(message["content"])]
    return found


def input_tokens(body: Body) -> int:
    """The whole prompt; cached or not, it is the same number, and what count_tokens answers."""
    return sum(segment.tokens for segment in segments(body))


def last_user_text(body: Body) -> str:
    """What was asked last: the text of the last user message, tool results left out."""
    blocks = _last_user_blocks(body)
    return "\n".join(block["text"] for block in blocks if block.get("type") == "text")


def last_tool_result(body: Body) -> str | None:
    """What a tool of the caller brought back, if that is what the last message is about."""
    for block in _last_user_blocks(body):
        if block.get("type") == "tool_result":
            return " ".join(_texts(block.get("content")))
    return None


def _last_user_blocks(body: Body) -> list[Mapping[str, Any]]:
    asked = [message for message in body["messages"] if message["role"] == "user"]
    return _blocks(asked[-1]["content"]) if asked else []


def _blocks(content: Any) -> list[Mapping[str, Any]]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    if not isinstance(content, list):
        return []
    return [block for block in content if isinstance(block, dict)]


def _segment(place: str, block: Mapping[str, Any]) -> Segment:
    plain = {key: value for key, value in block.items() if key != "cache_control"}
    written = json.dumps([place, plain], sort_keys=True)
    size = tokens.estimate(json.dumps(plain)) if place == "tool" else _size(plain)
    return Segment(hashlib.sha256(written.encode()).digest(), size, block.get("cache_control"))


def _size(block: Mapping[str, Any]) -> int:
    if block["type"] == "image":
        return tokens.IMAGE_TOKENS
    if block["type"] == "document" and _source(block).get("type") != "text":
        return tokens.DOCUMENT_TOKENS
    return sum(tokens.estimate(text) for text in _texts([block]))


def _texts(content: Any) -> Iterator[str]:
    for block in _blocks(content):
        match block.get("type"):
            case "text":
                yield str(block.get("text", ""))
            case "tool_result":
                yield from _texts(block.get("content"))
            case "document":
                yield str(_source(block).get("data", ""))
            case "thinking":
                yield str(block.get("thinking", ""))
            case _:
                yield json.dumps(block)


def _source(block: Mapping[str, Any]) -> Mapping[str, Any]:
    source = block.get("source")
    return source if isinstance(source, dict) else {}
