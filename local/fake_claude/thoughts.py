"""Signatures of thoughts: whose they are, and what came before them.

As for real, a model reads its own alone (and all of them a small one's), and what it cannot read is
left out without a word; one before which anything has changed is refused, or left out with all that
follow it where the caller asks for that.
https://platform.claude.com/docs/en/build-with-claude/preserved-thinking
"""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from local.fake_claude.errors import invalid
from local.fake_claude.models import Model

Body = Mapping[str, Any]
Place = tuple[int, int]
"""Of a block: which message, and which in it."""
READ_BY_ALL = ("claude-haiku-5-5",)
"""https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-thinking-block-binding.html"""
DROPPING = {"prefix_mismatch_behavior": "drop_block"}
INVALID = "Invalid `signature` in `thinking` block"
BOUND = (
    f"{INVALID}. The block is bound to a different conversation. Remove the block, or set "
    '`thinking.block_binding.prefix_mismatch_behavior` to "drop_block". That setting requires the '
    "`thinking-binding-controls-2026-08-01` value in the `anthropic-beta` header."
)


def signature(body: Body) -> str:
    """Of a thought with which an answer to this begins."""
    return _sealed(str(body["model"]), _prefix(body, len(body["messages"]), 0))


def read(body: Body, model: Model, *, beta: bool) -> Body:
    """The request with the thoughts that the model reads, and without the others.

    Raises:
        ApiError: 400, for one that nobody has signed, or that is bound to another conversation.
    """
    binding = (body.get("thinking") or {}).get("block_binding")
    dropping = beta and isinstance(binding, dict) and DROPPING.items() <= binding.items()
    left_out: set[Place] = set()
    torn = False
    for at, index, block in _thoughts(body):
        where = f"messages.{at}.content.{index}"
        author, prefix = _opened(where, block.get("signature"))
        if author not in (model.id, *READ_BY_ALL):
            left_out.add((at, index))
        elif torn or prefix != _prefix(body, at, index):
            if not dropping:
                raise invalid(f"{where}: {BOUND}")
            torn = True
            left_out.add((at, index))
    return {**body, "messages": _without(body["messages"], left_out)} if left_out else body


def _thoughts(body: Body) -> Iterator[tuple[int, int, Mapping[str, Any]]]:
    for at, message in enumerate(body["messages"]):
        for index, block in enumerate(_blocks(message["content"])):
            if block.get("type") == "thinking":
                yield at, index, block


def _without(messages: list[Any], left_out: set[Place]) -> list[Any]:
    return [
        {
            **one,
            "content": [
                block
                for index, block in enumerate(_blocks(one["content"]))
                if (at, index) not in left_out
            ],
        }
        for at, one in enumerate(messages)
    ]


def _prefix(body: Body, at: int, index: int) -> str:
    """Of all that comes before a block, marks for the cache aside."""
    before = [[one["role"], _blocks(one["content"])] for one in body["messages"][:at]]
    if index:
        before.append(_blocks(body["messages"][at]["content"])[:index])
    said = [_blocks(body.get("system")), body.get("tools") or [], before]
    written = json.dumps(_unmarked(said), sort_keys=True)
    return hashlib.sha256(written.encode()).hexdigest()


def _sealed(model: str, prefix: str) -> str:
    return base64.b64encode(json.dumps([model, prefix]).encode()).decode()


def _opened(where: str, sealed: object) -> tuple[str, str]:
    try:
        model, prefix = json.loads(base64.b64decode(str(sealed), validate=True))
    except (ValueError, TypeError, RecursionError) as err:
        raise invalid(f"{where}: {INVALID}") from err
    return str(model), str(prefix)


def _blocks(content: Any) -> list[Any]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content or []


def _unmarked(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _unmarked(one) for name, one in value.items() if name != "cache_control"}
    return [_unmarked(one) for one in value] if isinstance(value, list) else value
