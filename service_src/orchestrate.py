"""`POST /v1/orchestrate`: the model is chosen for each question, and the answer says why."""

from pathlib import Path

from fastapi import FastAPI, Request, Response

from claude_core.clients import ClientKey
from claude_core.http_routes import Backend
from claude_core.incoming import Incoming
from claude_core.openapi import document
from claude_core.routes import Table
from claude_core.routing import Conversations, Orchestra
from claude_core.routing.schemas import routing_schemas
from claude_core.settings import RouterSettings
from claude_core.wire import from_bytes
from service_src.api import Api, body_of, message
from service_src.sse import while_connected

BUNDLE = Path(__file__).parents[1]


class Orchestrate:
    """What a function has instead of the Messages API."""

    def __init__(self, api: Api, router: RouterSettings) -> None:
        """Read the table.

        Raises:
            BadTable: the stack takes none that is; this one was changed since.
        """
        self._api, self._router = api, router
        self._table = Table.from_json((BUNDLE / router.routes_file).read_bytes())
        self._orchestra: Orchestra | None = None

    @property
    def orchestra(self) -> Orchestra:
        """Opened at the first request, as the Api's own parts are."""
        if self._orchestra is None:
            kit = self._api.kit
            kept = Conversations(
                kit.aws, self._router.conversations_table, trouble=kit.telemetry.trouble
            )
            self._orchestra = Orchestra(kit, self._table, kept)
        return self._orchestra

    def add_to(self, app: FastAPI) -> None:
        """Its routes."""
        app.add_api_route("/v1/orchestrate", self.orchestrate, methods=["POST"])
        app.add_api_route("/openapi.json", self.openapi)

    async def orchestrate(self, request: Request) -> Response:
        """Streamed if the body asks for it, else whole; refusals come before either begins."""
        return await self._api.answered(request, self._orchestrate)

    async def openapi(self, request: Request) -> Response:
        return self._api.plain(request, document(Backend.ORCHESTRATOR, more=routing_schemas))

    async def _orchestrate(self, request: Request, incoming: Incoming, started: float) -> Response:
        api, key = self._api, ClientKey.from_headers(request.headers)
        body, headers = from_bytes(await body_of(request)), dict(request.headers)
        if not body.get("stream"):
            whole = self.orchestra.answer(incoming, key, body, headers, deadline=api.begun_by)
            routed = await while_connected(request.receive, whole)
            return message(routed.body, routed.reply, routed.limits, incoming)
        events = self.orchestra.stream(
            incoming, key, body, headers, deadline=api.over_by, open_deadline=api.begun_by
        )
        return await api.streamed(request, incoming, started, events)
