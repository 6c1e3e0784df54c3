"""The serverless pattern's routes that answer at once: decode, validate, hand over, encode.

`POST /v1/messages` streams, and is served by `service_src`.
"""

import asyncio
from typing import Any

from claude_core import messages
from claude_core.clients import ClientKey
from claude_core.http_routes import Backend
from claude_core.models import NANO
from claude_core.openapi import document
from claude_core.serve import Kit
from claude_core.settings import Runtime, Settings
from claude_core.telemetry import Telemetry
from claude_core.wire import from_bytes
from lambda_src.frame import Routes, respond
from lambda_src.gateway import Answered, Call


class Api:
    """One process's routes. Built at the first request: nothing it opens survives a snapshot."""

    def __init__(self, settings: Settings, runtime: Runtime) -> None:
        self._settings = settings
        self._telemetry = Telemetry(settings.service)
        self._kit = Kit.build(settings, runtime, self._telemetry)

    async def handle(self, event: dict[str, Any]) -> dict[str, Any]:
        """Answer one API Gateway event."""
        return await respond(self, ROUTES, event, self._telemetry)

    async def prompt(self, call: Call) -> Answered:
        key = ClientKey.from_headers(call.headers)
        request = messages.prompt_request(from_bytes(call.body))
        deadline = self._deadline(call)
        answer = await self._kit.answer(call.incoming, key, request, deadline=deadline)
        reply, usage = answer.reply, answer.reply.usage
        return Answered.of(
            {
                "text": reply.text,
                "tokens": usage.prompt_tokens + usage.output_tokens,
                "usage": reply.message["usage"],
                "model": reply.message["model"],
                "stop_reason": reply.stop_reason,
                "cost_usd": answer.cost / NANO,
            },
            answer.limits,
        )

    async def count_tokens(self, call: Call) -> Answered:
        key = ClientKey.from_headers(call.headers)
        request = messages.count_request(from_bytes(call.body), call.headers)
        free = await self._kit.count_tokens(key, request, deadline=self._deadline(call))
        return Answered(free.body, headers=free.limits.to_headers())

    async def models(self, call: Call) -> Answered:
        free = await self._kit.models(ClientKey.from_headers(call.headers))
        return Answered(free.body, headers=free.limits.to_headers())

    async def health(self, call: Call) -> Answered:
        return Answered.of({"status": "ok"})

    async def openapi(self, call: Call) -> Answered:
        return Answered(document(Backend.API, Backend.STREAM))

    async def close(self) -> None:
        await self._kit.close()

    def _deadline(self, call: Call) -> float:
        """When Claude must have answered: 25 s, or less if the request came in late."""
        left_s = float(self._settings.request_timeout_s) - call.late_s
        allowed = min(float(self._settings.answer_timeout_s), left_s)
        return asyncio.get_running_loop().time() + allowed


ROUTES: Routes[Api] = {
    "POST /prompt": Api.prompt,
    "POST /v1/messages/count_tokens": Api.count_tokens,
    "GET /v1/models": Api.models,
    "GET /health": Api.health,
    "GET /openapi.json": Api.openapi,
}

_runner = asyncio.Runner()
_api: Api | None = None


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Lambda's way in: one request at a time, on an event loop that outlives it."""
    return _runner.run(_handle(event))


async def _handle(event: dict[str, Any]) -> dict[str, Any]:
    global _api
    if _api is None:
        _api = Api(Settings.from_env(), Runtime.from_env())
    return await _api.handle(event)
