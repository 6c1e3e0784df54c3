"""Whose thoughts a model is given: those that it has had, or was given before, and no others.

They are signed. One that the model cannot read is dropped by Claude, but one before which anything
has changed may be refused: the system prompt, the tools, a message, or a thought that was left out.
https://platform.claude.com/docs/en/build-with-claude/preserved-thinking
"""

import hashlib
from typing import Any

from claude_core.routing.choice import Choice, Last
from claude_core.wire import Json, to_bytes

THOUGHTS = ("thinking", "redacted_thinking")


def thinks(content: Any) -> bool:
    """Whether there are thoughts among these blocks."""
    blocks = content if isinstance(content, list) else []
    return any(block.get("type") in THOUGHTS for block in blocks)


def own_from(choice: Choice, body: Json, last: Last | None) -> int:
    """Index of the first message whose thoughts are for the chosen model; those of the answer to
    come, if there is none."""
    if last and last.model is choice.model and last.setting == setting(choice, body):
        return last.thoughts_from
    return len(body["messages"])


def setting(choice: Choice, body: Json) -> str:
    """A name for what comes before all messages."""
    system = body.get("system", choice.route.system)
    said = bare({"system": system, "tools": body.get("tools")})
    return hashlib.sha256(to_bytes(said)).hexdigest()[:16]


def carried(messages: list[Json], own: int) -> list[Json]:
    """Messages without the thoughts of those before `own`; without those that are nothing else."""
    kept = []
    for at, message in enumerate(messages):
        content = message.get("content")
        if at < own and message.get("role") == "assistant" and thinks(content):
            content = [block for block in content or [] if block.get("type") not in THOUGHTS]
            if not content:
                continue
            message = {**message, "content": content}
        kept.append(message)
    return kept


def bare(value: Any) -> Any:
    """JSON without its form: fields in order, and no marks for the cache, which move on."""
    if isinstance(value, dict):
        return {name: bare(value[name]) for name in sorted(value) if name != "cache_control"}
    return [bare(one) for one in value] if isinstance(value, list) else value
