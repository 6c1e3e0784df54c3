"""The service as it lives on Fargate: chat, tickets, readiness, gauges, and a drain at its end."""

import asyncio
import json
from contextlib import suppress
from pathlib import Path

from fastapi import FastAPI, Request, Response
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket

from claude_core.clients import ClientKey
from claude_core.errors import Replaced, Unavailable
from claude_core.http_routes import Backend
from claude_core.incoming import Incoming
from claude_core.openapi import document
from claude_core.schemas import INTEGER, record
from claude_core.settings import ChatSettings, Settings
from claude_core.wire import Json
from service_src.answer import DRAINED
from service_src.api import Api
from service_src.chat import GAUGE_S, Chat
from service_src.tickets import LASTS_S, TICKET

PAGE = Path(__file__).with_name("page")
JSON = "application/json"
SAFE = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


def schemas() -> dict[str, Json]:
    """JSON schemas of the service's own answers, by the names that `http_routes.py` gives them."""
    ticket = {"type": "string", "pattern": f"^{TICKET.pattern}$"}
    return {
        "Ticket": record({"ticket": ticket, "expires_in_s": INTEGER}),
        "Ready": record({"status": {"const": "ready"}}),
        "Draining": record({"status": {"const": "draining"}}),
    }


class Live:
    """What a task has beside the Messages API."""

    def __init__(self, api: Api, settings: Settings, chat: ChatSettings) -> None:
        self._api, self._settings, self._chat_settings = api, settings, chat
        self._chat: Chat | None = None
        self._chores: set[asyncio.Task[None]] = set()
        self.draining = False

    @property
    def chat(self) -> Chat:
        if self._chat is None:
            self._chat = Chat(self._api.kit, self._settings, self._chat_settings)
        return self._chat

    @property
    def active(self) -> int:
        """Answers that are being streamed, over websockets and over HTTP."""
        return self.chat.answering + len(self._api.streams)

    def add_to(self, app: FastAPI) -> None:
        """All routes."""
        app.add_api_route("/v1/messages/count_tokens", self._api.count_tokens, methods=["POST"])
        app.add_api_route("/v1/models", self._api.models, methods=["GET"])
        app.add_api_route("/v1/tickets", self.ticket, methods=["POST"])
        app.add_api_route("/ready", self.ready)
        app.add_api_route("/openapi.json", self.openapi)
        app.add_api_route("/", self.page)
        app.router.add_websocket_route("/chat", self.socket)
        app.mount("/page", _Files(directory=PAGE, check_dir=False))

    def start(self) -> None:
        """Begin what runs beside the requests."""
        for doing in (self._warm(), self.chat.tick(), self._gauge()):
            task = asyncio.create_task(doing)
            self._chores.add(task)

    async def stop(self) -> None:
        for task in self._chores:
            task.cancel()
        await asyncio.gather(*self._chores, return_exceptions=True)

    async def drain(self) -> None:
        """Nobody new; what is being written runs to its end, or for as long as there is."""
        self.draining = True
        seconds = float(self._chat_settings.drain_s)
        await asyncio.gather(self.chat.drain(seconds), self._drain_http(seconds))

    async def socket(self, socket: WebSocket) -> None:
        await self.chat.serve(socket)

    async def ticket(self, request: Request) -> Response:
        return await self._api.answered(request, self._ticket)

    async def ready(self, request: Request) -> Response:
        """Whether new callers may come; the load balancer asks."""
        if self.draining:
            return self._api.plain(request, b'{"status": "draining"}', status=503)
        return self._api.plain(request, b'{"status": "ready"}')

    async def openapi(self, request: Request) -> Response:
        return self._api.plain(request, document(Backend.CHAT, more=schemas))

    async def page(self) -> Response:
        index = PAGE / "index.html"
        return Response(index.read_bytes(), media_type="text/html", headers=SAFE)

    async def _ticket(self, request: Request, incoming: Incoming, _: float) -> Response:
        admitted = await self._api.kit.prove(ClientKey.from_headers(request.headers))
        ticket = await self.chat.ticket(admitted.row.id)
        headers = {**admitted.limits.to_headers(), "request-id": incoming.request_id}
        headers["cache-control"] = "no-store"
        body = json.dumps({"ticket": ticket, "expires_in_s": LASTS_S})
        return Response(body, 201, headers, media_type=JSON)

    async def _drain_http(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._api.streams.gone()
        except TimeoutError:
            self._api.cut(Replaced(DRAINED))
            await self._api.streams.gone()

    async def _warm(self) -> None:
        """Open the way to AWS and read the key before the first caller waits for it."""
        with suppress(Unavailable):  # the first caller will be told
            await self._api.kit.warm()

    async def _gauge(self) -> None:
        """What the service scales by, from each task."""
        while True:
            self._api.telemetry.count(active_streams=self.active, open_sockets=self.chat.sockets)
            await asyncio.sleep(GAUGE_S)


class _Files(StaticFiles):
    """The page's own files, under its policy."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers.update(SAFE | {"cache-control": "no-cache"})
        return response
