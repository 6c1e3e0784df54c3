"""uvicorn's connections with two limits that it has not: a time for the first request, and little
memory for a reader that takes nothing."""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol


class Http(HttpToolsProtocol):
    """HTTP; `asked_within_s` and `buffer_bytes` are set by `limited`."""

    asked_within_s = 5.0
    buffer_bytes = 64 * 1024
    _first: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=self.buffer_bytes)
        self._first = self.loop.call_later(self.asked_within_s, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self._asked()
        super().connection_lost(exc)

    def on_headers_complete(self) -> None:
        self._asked()
        super().on_headers_complete()

    def _asked(self) -> None:
        if self._first:
            self._first.cancel()
            self._first = None


class Socket(WebSocketsSansIOProtocol):
    """A websocket whose application can cut it: a close frame waits for a reader to take it."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.app_state = {**self.app_state, "abort": cast(asyncio.Transport, transport).abort}


def limited(*, asked_within_s: float, buffer_bytes: int) -> type[Http]:
    """The class of connections with these limits."""
    own = {"asked_within_s": asked_within_s, "buffer_bytes": buffer_bytes}
    return type("LimitedHttp", (Http,), own)
