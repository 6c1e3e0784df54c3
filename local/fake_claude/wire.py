"""The way back to the caller, down to the TCP connection."""

import json
import socket
import struct
from asyncio import WriteTransport
from collections.abc import Mapping
from typing import Any

from starlette.types import Scope, Send

TRANSPORT = "fake_claude.transport"
"""Where the server puts the connection in the state of a request; see `server.py`."""
SSE = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}
NO_LINGER = struct.pack("ii", 1, 0)


class Wire:
    """Sends an answer, or fails to in all the ways in which a connection can."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._transport: WriteTransport = scope["state"][TRANSPORT]
        self._send = send
        self.extra: Mapping[str, str] = {}
        """Headers of this answer beside the usual ones."""
        self.broken = False

    async def start(self, status: int, headers: Mapping[str, str]) -> None:
        """Send the status and the headers, at once."""
        named = {**headers, **self.extra}
        raw = [(name.encode(), value.encode("latin-1")) for name, value in named.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": raw})

    async def start_stream(self, headers: Mapping[str, str] = SSE) -> None:
        await self.start(200, headers)

    async def start_json(self, length: int) -> None:
        await self.start(200, {"content-type": "application/json", "content-length": str(length)})

    async def write(self, data: bytes, *, last: bool = False) -> None:
        if data or last:
            await self._send({"type": "http.response.body", "body": data, "more_body": not last})

    async def send_json(self, payload: Mapping[str, Any]) -> None:
        """A whole answer, in one go."""
        data = encode(payload)
        await self.start_json(len(data))
        await self.write(data, last=True)

    def reset(self) -> None:
        """Break the connection as a crash does: RST, and what was not sent is lost."""
        sock = self._transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        self.broken = True
        self._transport.abort()

    def drop(self) -> None:
        """Close the connection without a word, as a proxy does that has lost patience."""
        self.broken = True
        self._transport.close()


def encode(payload: Mapping[str, Any]) -> bytes:
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
