"""What the Messages API refuses about a conversation: roles, content blocks, cache marks."""

from collections.abc import Mapping
from typing import Any

from local.fake_claude.errors import invalid

ROLES = ("user", "assistant", "system")
INPUTS = ("text", "image", "document", "search_result", "tool_result", "container_upload")
OUTPUTS = ("text", "thinking", "redacted_thinking", "tool_use", "server_tool_use")
BLOCKS = {"user": INPUTS, "assistant": (*OUTPUTS, "container_upload"), "system": ("text",)}
MOST_MARKS = 4


def check_messages(messages: list[Any], *, beta: bool) -> None:
    """Refuse what is no conversation. A beta has blocks of its own, which are let through."""
    if not messages:
        raise invalid("messages: at least one message is required")
    for index, message in enumerate(messages):
        where = f"messages.{index}"
        if not isinstance(message, dict):
            raise invalid(f"{where}: Input should be a valid dictionary")
        role = message.get("role")
        if role not in ROLES:
            raise invalid(f"{where}.role: Input should be 'user', 'assistant' or 'system'")
        if "content" not in message:
            raise invalid(f"{where}.content: Field required")
        for extra in message.keys() - {"role", "content"}:
            raise invalid(f"{where}.{extra}: Extra inputs are not permitted")
        _check_content(f"{where}.content", message["content"], None if beta else BLOCKS[role])


def check_system(system: Any) -> None:
    if isinstance(system, list):
        for index, block in enumerate(system):
            _check_block(f"system.{index}", block, BLOCKS["system"])


def check_marks(body: Mapping[str, Any]) -> None:
    marks = [body["cache_control"]] if body.get("cache_control") else []
    contents = [body.get("system"), body.get("tools")]
    contents += [message["content"] for message in body["messages"]]
    for content in contents:
        blocks = content if isinstance(content, list) else []
        marks += [block["cache_control"] for block in blocks if block.get("cache_control")]
    for mark in marks:
        fits = isinstance(mark, dict) and mark.get("type") == "ephemeral"
        if not fits or mark.get("ttl", "5m") not in ("5m", "1h"):
            raise invalid("cache_control: Input should be ephemeral, with a ttl of '5m' or '1h'")
    if len(marks) > MOST_MARKS:
        raise invalid(
            f"A maximum of {MOST_MARKS} blocks with cache_control may be provided. "
            f"Found {len(marks)}."
        )


def _check_content(where: str, content: Any, expected: tuple[str, ...] | None) -> None:
    if isinstance(content, str):
        if not content:
            raise invalid(f"{where.removesuffix('.content')}: messages must have non-empty content")
        return
    if not isinstance(content, list):
        raise invalid(f"{where}: Input should be a valid string or list")
    if not content:
        raise invalid(f"{where.removesuffix('.content')}: messages must have non-empty content")
    for index, block in enumerate(content):
        _check_block(f"{where}.{index}", block, expected)


def _check_block(where: str, block: Any, expected: tuple[str, ...] | None) -> None:
    kind = block.get("type") if isinstance(block, dict) else None
    if kind is None:
        raise invalid(f"{where}.type: Field required")
    # Results of server tools are many and end alike; they come back as the API sent them.
    if expected and kind not in expected and not str(kind).endswith("_tool_result"):
        raise invalid(
            f"{where}: Input tag {kind!r} found using 'type' does not match any of the expected "
            f"tags: {', '.join(expected)}"
        )
    if kind == "text" and not isinstance(block.get("text"), str):
        raise invalid(f"{where}.text.text: Field required")
    if kind == "text" and not block["text"]:
        raise invalid("messages: text content blocks must be non-empty")
