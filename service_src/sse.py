"""Answers event by event, kept alive while Claude thinks, ended when their caller goes away."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from typing import TypeVar

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from claude_core.errors import KitError
from claude_core.sse import Event
from service_src.crowd import Crowd

T = TypeVar("T")

HEADERS = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
    "x-accel-buffering": "no",
}
PING = b'event: ping\ndata: {"type": "ping"}\n\n'


class CallerLeft(Exception):
    """The connection of the one who asked is gone."""


async def while_connected(receive: Receive, doing: Awaitable[T]) -> T:
    """What `doing` gives, unless the caller goes away: then it is cancelled, and ended first.

    Raises:
        CallerLeft; whatever `doing` raises.
    """
    work, left = asyncio.ensure_future(doing), asyncio.create_task(_gone(receive))
    try:
        await asyncio.wait({work, left}, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            return work.result()
        raise CallerLeft
    finally:
        for task in (work, left):
            if not task.done():
                task.cancel()
                await asyncio.wait({task})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class EventStream(Response):
    """A streamed answer whose first event is there already, so that its status is known."""

    def __init__(
        self,
        first: Event,
        events: AsyncGenerator[Event],
        *,
        request_id: str,
        limits: Mapping[str, str],
        ping_s: float,
        failed: Callable[[Exception], KitError],
        among: "Crowd[EventStream]",
    ) -> None:
        """Pass `events` on.

        Args:
            request_id: shown in the headers and in a terminal error.
            limits: headers that tell the client's own.
            ping_s: seconds of silence before a ping of our own.
            failed: told of what ends the stream early; gives the error to show.
            among: the streams of this process, of which it is one while it lasts.
        """
        self.background = None
        self._first, self._events = first, events
        self._id, self._ping_s, self._failed = request_id, ping_s, failed
        self._shown = {**HEADERS, **limits, "request-id": request_id}
        self._sent_at = 0.0
        self._among = among
        self._pumping: asyncio.Task[None] | None = None
        self._cut: KitError | None = None

    def cut(self, err: KitError) -> None:
        """End it with an error, now."""
        if self._pumping and not self._cut:
            self._cut = err
            self._pumping.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        pairs = [(name.encode(), value.encode()) for name, value in self._shown.items()]
        self._among.add(self)
        try:
            await self._stream(pairs, receive, send)
        finally:
            self._among.discard(self)

    async def _stream(self, pairs: list[tuple[bytes, bytes]], receive: Receive, send: Send) -> None:
        async with aclosing(self._events):
            await send({"type": "http.response.start", "status": 200, "headers": pairs})
            with suppress(CallerLeft):
                await while_connected(receive, self._pump(send))
                await send({"type": "http.response.body", "body": b""})

    async def _pump(self, send: Send) -> None:
        pinging = asyncio.create_task(self._ping(send))
        self._pumping = asyncio.current_task()
        try:
            await self._send(send, self._first.raw)
            async for event in self._events:
                await self._send(send, event.raw)
        except asyncio.CancelledError:
            if not self._cut:
                raise
            await self._send(send, error_event(self._failed(self._cut), self._id))
        except Exception as err:
            # Whatever it is, the caller must not take what it has for the whole answer.
            await self._send(send, error_event(self._failed(err), self._id))
        finally:
            pinging.cancel()
            await asyncio.wait({pinging})

    async def _send(self, send: Send, body: bytes) -> None:
        await send({"type": "http.response.body", "body": body, "more_body": True})
        self._sent_at = asyncio.get_running_loop().time()

    async def _ping(self, send: Send) -> None:
        """Each send is of whole events, so one of ours may stand between any two."""
        now = asyncio.get_running_loop().time
        while True:
            silent = now() - self._sent_at
            if silent >= self._ping_s:
                await self._send(send, PING)
                silent = 0.0
            await asyncio.sleep(self._ping_s - silent)


def error_event(err: KitError, request_id: str) -> bytes:
    """The event that ends a stream which cannot be whole."""
    return b"event: error\ndata: " + json.dumps(err.to_json(request_id)).encode() + b"\n\n"
