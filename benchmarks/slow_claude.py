"""`python -m benchmarks.slow_claude PORT`: a Claude that says the same to all, a second later.

It costs a few dozen microseconds a call, so that never it but the worker is what is measured.
"""

import asyncio
import json
import sys
from typing import Any

import uvloop

ANSWER_S = 1.0
MESSAGE = {
    "id": "msg_bench",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-5-5",
    "content": [{"type": "text", "text": "A document about documents. " * 40}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 520, "output_tokens": 240},
}
HEADERS = {
    "content-type": "application/json",
    "request-id": "req_bench",
    "anthropic-ratelimit-requests-limit": "100000",
    "anthropic-ratelimit-requests-remaining": "99999",
    "anthropic-ratelimit-requests-reset": "2030-01-01T00:00:00Z",
    "anthropic-ratelimit-input-tokens-limit": "100000000",
    "anthropic-ratelimit-input-tokens-remaining": "99999000",
    "anthropic-ratelimit-input-tokens-reset": "2030-01-01T00:00:00Z",
    "anthropic-ratelimit-output-tokens-limit": "100000000",
    "anthropic-ratelimit-output-tokens-remaining": "99999000",
    "anthropic-ratelimit-output-tokens-reset": "2030-01-01T00:00:00Z",
}
"""As many as the real one sends: a client that reads them pays for it."""


def answer(body: bytes, headers: dict[str, str]) -> bytes:
    lines = [f"{name}: {value}" for name, value in headers.items()]
    head = ["HTTP/1.1 200 OK", *lines, f"content-length: {len(body)}", "", ""]
    return "\r\n".join(head).encode() + body


ANSWER, UP = answer(json.dumps(MESSAGE).encode(), HEADERS), answer(b"up", {})


class Connection(asyncio.Protocol):
    """One connection; requests come one after the other, as from any HTTP/1.1 client."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop, self._came = loop, b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._came += data
        end = self._came.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._came[:end].lower()
        _, _, size = head.partition(b"\r\ncontent-length: ")
        if len(self._came) < end + 4 + int(size.split(b"\r\n", 1)[0] or 0):
            return
        self._came = b""
        if head.startswith(b"post /v1/messages "):
            self._loop.call_later(ANSWER_S, self._say, ANSWER)
        else:
            self._say(UP)

    def _say(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Connection(loop), "127.0.0.1", int(sys.argv[1]), backlog=4_096
    )
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
