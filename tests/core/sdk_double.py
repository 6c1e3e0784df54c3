"""An API that answers the SDK inside the process, for scripts that run it in a fresh one."""

import json
import sys
from typing import Any

import httpx2

MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-haiku-5-5",
    "content": [{"type": "text", "text": "hi"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 1, "output_tokens": 2},
}
ASKED: dict[str, Any] = {
    "model": "claude-haiku-5-5",
    "max_tokens": 9,
    "messages": [{"role": "user", "content": "hello"}],
}
EVENTS: list[dict[str, Any]] = [
    {"type": "message_start", "message": MESSAGE | {"content": [], "stop_reason": None}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hi"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_stop"},
]


def http(kind: Any, status: int = 200, body: object = MESSAGE) -> Any:
    """A client of httpx2 (`kind`) whose every request gets that answer, or the events."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.content and json.loads(request.content).get("stream"):
            lines = (f"event: {one['type']}\ndata: {json.dumps(one)}\n\n" for one in EVENTS)
            headers = {"content-type": "text/event-stream"}
            return httpx2.Response(200, content="".join(lines).encode(), headers=headers)
        return httpx2.Response(status, json=body)

    return kind(transport=httpx2.MockTransport(answer))


def is_deferred() -> bool:
    """Whether the SDK is imported, and most of it is not yet."""
    return "anthropic" in sys.modules and "anthropic.resources" not in sys.modules
