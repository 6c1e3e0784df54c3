"""A stand-in for the chat service: its routes and frames, with answers that a test plans."""

import asyncio
import contextlib
import secrets
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp
from starlette.websockets import WebSocket, WebSocketDisconnect

from claude_core.clients import new_key
from claude_core.models import MODELS, resolve
from local.paths import ROOT
from tests.browser.answers import Answer, Frame, Planned
from tests.browser.policy import with_policy

PAGE = ROOT / "service_src" / "page"


class StandIn:
    """One service, told what to answer from the test's thread."""

    def __init__(self) -> None:
        self.key = new_key()
        self._plans: deque[Planned] = deque()
        self._tickets: set[str] = set()
        self._answers: dict[str, Answer] = {}
        self._sockets: dict[WebSocket, asyncio.Queue[tuple[Frame | None, int]]] = {}
        self._refusals: deque[tuple[Frame, int]] = deque()
        self._released = asyncio.Event()
        self._work: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.app: ASGIApp = with_policy(
            Starlette(
                routes=[
                    Route("/", lambda _: FileResponse(PAGE / "index.html")),
                    Mount("/page", StaticFiles(directory=PAGE)),
                    Route("/v1/models", self._models),
                    Route("/v1/tickets", self._ticket, methods=["POST"]),
                    WebSocketRoute("/chat", self._chat),
                ]
            )
        )

    # What a test says; the names are those of the fake Claude.

    def plan(self, behaviours: list[str | Mapping[str, Any]]) -> None:
        """What becomes of the next messages; those after them get the usual answer."""
        self._plans.extend(Planned.of(each) for each in behaviours)

    def release(self) -> None:
        """Let go of every answer that is held."""
        self._soon(self._released.set)

    def drain(self) -> None:
        """Replace the task: all sockets are told to reconnect, answers stay a part, and the first
        new socket still meets the one that goes."""
        error = {"type": "overloaded_error", "message": "The task is draining."}
        self._refusals.append(({"type": "error", "error": error, "retryable": True}, 1013))
        self._soon(self._drain)

    def lose(self) -> None:
        """Cut every socket without a word."""
        self._soon(self._end_with(None))

    def fall_asleep(self) -> None:
        """End every socket as one that was idle for too long."""
        error = {"type": "invalid_request_error", "message": "idle for too long"}
        self._soon(self._end_with({"type": "error", "error": error, "retryable": True}, 4408))

    def refuse(self, code: int, kind: str, message: str, *, times: int = 1) -> None:
        """Turn the next sockets away."""
        error = {"type": "error", "error": {"type": kind, "message": message}, "retryable": False}
        self._refusals.extend([(error, code)] * times)

    def _soon(self, act: Callable[[], None]) -> None:
        done = threading.Event()
        assert self._loop is not None, "nobody has called yet"

        def do() -> None:
            act()
            done.set()

        self._loop.call_soon_threadsafe(do)
        assert done.wait(10)

    def _drain(self) -> None:
        for answer in self._answers.values():
            answer.drain()
        self._end_with({"type": "reconnect", "reason": "drain"}, 1001)()

    def _end_with(self, frame: Frame | None, code: int = 1011) -> Callable[[], None]:
        def end() -> None:
            for queue in self._sockets.values():
                queue.put_nowait((frame, code))

        return end

    # What the page asks.

    async def _models(self, request: Request) -> Response:
        if request.headers.get("x-api-key") != self.key:
            return _no_such_key()
        return JSONResponse({"data": [model.to_json() for model in MODELS]})

    async def _ticket(self, request: Request) -> Response:
        self._loop = asyncio.get_running_loop()
        if request.headers.get("x-api-key") != self.key:
            return _no_such_key()
        ticket = secrets.token_urlsafe(32)
        self._tickets.add(ticket)
        return JSONResponse({"ticket": ticket, "expires_in_s": 60}, 201)

    async def _chat(self, socket: WebSocket) -> None:
        protocols = socket.scope["subprotocols"]
        await socket.accept(subprotocol="claude.v1")
        ticket = protocols[1].removeprefix("ticket.") if len(protocols) > 1 else ""
        if self._refusals:
            frame, code = self._refusals.popleft()
        elif ticket not in self._tickets:
            error = {"type": "authentication_error", "message": "no such ticket"}
            frame, code = {"type": "error", "error": error, "retryable": False}, 4401
        else:
            self._tickets.remove(ticket)
            with contextlib.suppress(WebSocketDisconnect, RuntimeError):
                await self._talk(socket)
            return
        await socket.send_json(frame)
        await socket.close(code)

    async def _talk(self, socket: WebSocket) -> None:
        queue = self._sockets[socket] = asyncio.Queue()
        known = socket.query_params.get("conversation")
        await socket.send_json({"type": "ready", "conversation": known or secrets.token_hex(8)})
        closing, reading = asyncio.create_task(queue.get()), asyncio.create_task(self._read(socket))
        try:
            await asyncio.wait({closing, reading}, return_when=asyncio.FIRST_COMPLETED)
            if not closing.done():
                return
            frame, code = closing.result()
            if frame:
                await socket.send_json(frame)
            await socket.close(code)
        finally:
            del self._sockets[socket]
            for task in (closing, reading):
                task.cancel()
            await asyncio.gather(closing, reading, return_exceptions=True)

    async def _read(self, socket: WebSocket) -> None:
        telling: asyncio.Task[None] | None = None
        try:
            while True:
                frame = await socket.receive_json()
                answer = self._answers.get(frame["id"])
                if frame["type"] == "cancel" and answer:
                    answer.cancel()
                elif frame["type"] == "message":
                    model = resolve(frame.get("model", "balanced")).id
                    plan = self._plans.popleft() if self._plans else Planned()
                    answer = Answer(frame["id"], model, plan, frame["content"])
                    self._answers[frame["id"]] = answer
                    self._released.clear()
                    self._keep(answer.run(self._released))
                    telling = self._keep(answer.tell_all(socket, 0))
                elif frame["type"] == "resume" and answer:
                    telling = self._keep(answer.tell_all(socket, frame["after"]))
                elif frame["type"] == "resume":
                    lost = {"type": "not_found_error", "message": "no such answer"}
                    error = {"type": "error", "id": frame["id"], "error": lost}
                    await socket.send_json(error | {"retryable": True})
        finally:
            if telling:
                telling.cancel()

    def _keep(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)
        return task


def _no_such_key() -> Response:
    error = {"type": "authentication_error", "message": "invalid x-api-key"}
    return JSONResponse({"type": "error", "error": error, "request_id": "req_1"}, 401)
