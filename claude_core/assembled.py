"""A streamed answer as one message: for long answers that nobody reads as they are written."""

import json
from typing import Any

from claude_core.errors import AnswerLost
from claude_core.reply import Reply
from claude_core.sse import UNREADABLE, Event
from claude_core.stream import Streamed
from claude_core.wire import Json, to_bytes

ADDED = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "signature"}
"""Deltas, and the field of the block that each goes on."""


async def assembled(first: Event, streamed: Streamed) -> Reply:
    """Read a stream to its end.

    Raises:
        UpstreamFailed, Unavailable: as reading `streamed` does; a partial answer is never whole.
    """
    blocks: list[Json] = []
    try:
        _add(blocks, first)
        async for event in streamed:
            _add(blocks, event)
        for block in blocks:
            if "input_json" in block:
                block["input"] = json.loads(block.pop("input_json") or "{}")
    except (KeyError, IndexError, TypeError, ValueError) as err:
        raise AnswerLost(UNREADABLE) from err
    message = {
        **streamed.message,
        "content": blocks,
        "stop_reason": streamed.stop_reason,
        "usage": streamed.usage_json,
    }
    return Reply(to_bytes(message), message, streamed.request_id, streamed.attempts)


def _add(blocks: list[Json], event: Event) -> None:
    data: Any = event.data
    if event.type == "content_block_start":
        blocks.append(dict(data["content_block"]))
    elif event.type == "content_block_delta":
        block, delta = blocks[data["index"]], data["delta"]
        kind = delta["type"]
        if kind in ADDED:
            name = ADDED[kind]
            block[name] = block.get(name, "") + delta[name]
        elif kind == "input_json_delta":
            block["input_json"] = block.get("input_json", "") + delta["partial_json"]
        elif kind == "citations_delta":
            block["citations"] = [*(block.get("citations") or []), delta["citation"]]
