"""The service that streams: `POST /v1/messages` as Claude writes, on Lambda and on Fargate."""

import asyncio
import gc
import json
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from claude_core import messages
from claude_core.clients import ClientKey
from claude_core.errors import KitError, NotFound, TooLarge, Unavailable
from claude_core.incoming import Incoming
from claude_core.serve import Kit
from claude_core.settings import Runtime, Settings
from claude_core.telemetry import Telemetry
from claude_core.wire import MAX_BODY_BYTES, from_bytes
from service_src.sse import CallerLeft, EventStream, while_connected

BEFORE_SNAPSHOT, AFTER_RESTORE = "/snapshot/before", "/snapshot/after"
"""Called by the Lambda Web Adapter, which refuses them to everybody else."""
LEFT = 499
"""What nginx calls a caller that is gone; nobody reads it."""


class Service:
    """One process. What it opens is opened at the first request, or after a snapshot is restored:
    nothing of it would survive one."""

    def __init__(self, settings: Settings, runtime: Runtime) -> None:
        self._settings, self._runtime = settings, runtime
        self.telemetry = Telemetry(settings.service)
        self._kit: Kit | None = None

    @property
    def kit(self) -> Kit:
        if self._kit is None:
            self._kit = Kit.build(self._settings, self._runtime, self.telemetry)
        return self._kit

    async def messages(self, request: Request) -> Response:
        """Streamed if the body asks for it, else whole; refusals come before either begins."""
        incoming, started = self._incoming(request), time.perf_counter()
        try:
            return await self._answer(request, incoming, started)
        except (CallerLeft, ClientDisconnect):
            return Response(status_code=LEFT)
        except Exception as err:
            return _refusal(self._failed(incoming, started, err), incoming)

    async def _answer(self, request: Request, incoming: Incoming, started: float) -> Response:
        key = ClientKey.from_headers(request.headers)
        body = from_bytes(await _body(request))
        checked, kit = messages.request(body, request.headers), self.kit
        begun_by = self._in(self._settings.answer_timeout_s)
        if not body.get("stream"):
            whole = kit.answer(incoming, key, checked, deadline=begun_by)
            answer = await while_connected(request.receive, whole)
            reply, headers = answer.reply, answer.limits.to_headers()
            headers["request-id"] = reply.request_id or incoming.request_id
            return Response(reply.body, headers=headers, media_type="application/json")
        over_by = self._in(self._settings.stream_timeout_s)
        events = kit.stream(incoming, key, checked, deadline=over_by, open_deadline=begun_by)
        first = await while_connected(request.receive, anext(events))
        return EventStream(
            first,
            events,
            request_id=first.request_id or incoming.request_id,
            limits=first.limits.to_headers() if first.limits else {},
            ping_s=float(self._settings.ping_s),
            failed=partial(self._failed, incoming, started),
        )

    async def before_snapshot(self) -> Response:
        """Leave nothing for the collector to do, or to touch, in what is restored."""
        gc.collect()
        gc.freeze()
        return Response(status_code=204)

    async def after_restore(self) -> Response:
        """Open the way to AWS and read the key while no request waits yet."""
        with suppress(Unavailable):  # the first request will say so, to somebody who reads it
            await self.kit.warm()
        return Response(status_code=204)

    async def no_route(self, request: Request, _: Exception) -> Response:
        """What FastAPI itself refuses: a path or a method that is not served."""
        err = NotFound(f"no such route: {request.method} {request.url.path[:200]}")
        return _refusal(err, self._incoming(request))

    async def close(self) -> None:
        if self._kit:
            await self._kit.close()

    def _failed(self, incoming: Incoming, started: float, err: Exception) -> KitError:
        """Write an error down; what the caller is told of it."""
        if not isinstance(err, KitError):
            self.telemetry.crashed(incoming, err)
            return KitError("the request failed; try again")
        self.telemetry.failed(incoming, err, (time.perf_counter() - started) * 1_000)
        return err

    def _incoming(self, request: Request) -> Incoming:
        """The request's ids: on Lambda those of API Gateway, which the adapter hands over."""
        context = "{}"
        if self._runtime.function_name:
            context = request.headers.get("x-amzn-request-context", context)
        request_id = json.loads(context).get("requestId") or f"req_{uuid.uuid4().hex}"
        return Incoming.of(request_id, request.headers)

    @staticmethod
    def _in(seconds: str) -> float:
        return asyncio.get_running_loop().time() + float(seconds)


def create(settings: Settings, runtime: Runtime) -> FastAPI:
    """The ASGI application."""
    service = Service(settings, runtime)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await service.close()

    app = FastAPI(openapi_url=None, lifespan=lifespan)
    app.add_exception_handler(HTTPException, service.no_route)
    app.add_api_route("/v1/messages", service.messages, methods=["POST"], response_model=None)
    app.add_api_route("/health", lambda: {"status": "ok"})
    if runtime.function_name:
        app.add_api_route(BEFORE_SNAPSHOT, service.before_snapshot, methods=["POST"])
        app.add_api_route(AFTER_RESTORE, service.after_restore, methods=["POST"])
    return app


def _refusal(err: KitError, incoming: Incoming) -> Response:
    """An error in the Messages API's shape."""
    shown = incoming.request_id
    content = json.dumps(err.to_json(shown), ensure_ascii=False)
    return Response(content, err.status, err.to_headers(shown), media_type="application/json")


async def _body(request: Request) -> bytes:
    """The body, no more of it than the limit.

    Raises:
        TooLarge.
    """
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BODY_BYTES:
            raise TooLarge(f"the body is above {MAX_BODY_BYTES} bytes")
        parts.append(part)
    return b"".join(parts)
