"""Tasks of the real service behind one address, and what can befall them and their sockets."""

import asyncio
import json
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

Last = tuple[dict[str, Any] | None, int]
"""A frame that is sent before a socket is closed, or none; and the code that it is closed with."""
DRAINING = {"type": "overloaded_error", "message": "The task is draining."}


class Meddler:
    """An ASGI application around others, of which the first serves; told from a test's thread."""

    def __init__(self, tasks: Sequence[FastAPI]) -> None:
        self._tasks = deque(tasks)
        self._sockets: set[asyncio.Queue[Last]] = set()
        self._refusals: deque[Last] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._drains: list[asyncio.Task[None]] = []

    def drain(self) -> None:
        """Replace the task by the next one; the first new socket is turned away."""
        self._refusals.append((_error(DRAINING), 1013))
        self._soon(self._drain)

    def lose(self) -> None:
        """Cut every socket without a word."""
        self._end_with(None, 1011)

    def fall_asleep(self) -> None:
        """End every socket as one that was idle for too long."""
        self._end_with(_error({"type": "timeout_error", "message": "idle"}), 4408)

    def refuse(self, code: int, kind: str, message: str, *, times: int = 1) -> None:
        """Turn the next sockets away."""
        self._refusals.extend([(_error({"type": kind, "message": message}), code)] * times)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and self._refusals:
            await receive()
            await send({"type": "websocket.accept", "subprotocol": "claude.v1"})
            await _close(send, self._refusals.popleft())
        elif scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        else:
            await self._tasks[0](scope, receive, send)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        orders: asyncio.Queue[Last] = asyncio.Queue()
        self._sockets.add(orders)
        serving = asyncio.create_task(self._tasks[0](scope, receive, send))
        order = asyncio.create_task(orders.get())
        try:
            await asyncio.wait({serving, order}, return_when=asyncio.FIRST_COMPLETED)
            if order.done() and not serving.done():
                await _close(send, order.result())
            await serving
        finally:
            order.cancel()
            self._sockets.discard(orders)

    @asynccontextmanager
    async def lifespan(self, _: object) -> AsyncIterator[None]:
        """All tasks run from the beginning; each is drained at most once."""
        self._loop = asyncio.get_running_loop()
        async with AsyncExitStack() as stack:
            for task in self._tasks:
                await stack.enter_async_context(task.router.lifespan_context(task))
            yield
            await asyncio.gather(*self._drains)

    def _drain(self) -> None:
        old = self._tasks.popleft()
        self._drains.append(asyncio.create_task(old.state.live.drain()))

    def _end_with(self, frame: dict[str, Any] | None, code: int) -> None:
        def end() -> None:
            for orders in self._sockets:
                orders.put_nowait((frame, code))

        self._soon(end)

    def _soon(self, act: Callable[[], None]) -> None:
        done = threading.Event()

        def do() -> None:
            act()
            done.set()

        assert self._loop
        self._loop.call_soon_threadsafe(do)
        assert done.wait(10)


def _error(error: dict[str, str]) -> dict[str, Any]:
    return {"type": "error", "error": error, "retryable": True}


async def _close(send: Send, last: Last) -> None:
    frame, code = last
    if frame:
        await send({"type": "websocket.send", "text": json.dumps(frame)})
    await send({"type": "websocket.close", "code": code})
