"""The Messages API over HTTP: `POST /v1/messages`, streamed or whole, and what belongs to it."""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable
from functools import cached_property, partial

from fastapi import Request, Response
from starlette.requests import ClientDisconnect

from claude_core import messages
from claude_core.clients import ClientKey
from claude_core.errors import InvalidRequest, KitError, NotFound, TooLarge
from claude_core.incoming import Incoming
from claude_core.limits import Limits
from claude_core.reply import Reply
from claude_core.serve import Free, Kit
from claude_core.settings import Runtime, Settings
from claude_core.sse import Event
from claude_core.telemetry import Telemetry
from claude_core.wire import MAX_BODY_BYTES, from_bytes
from service_src.crowd import Crowd
from service_src.sse import CallerLeft, EventStream, while_connected

LEFT = 499
"""What nginx calls a caller that is gone; nobody reads it."""
BODY_S = 30.0
"""For a request's body to arrive."""


class Api:
    """One process. What it opens is opened at the first request, or after a snapshot is restored:
    nothing of it would survive one."""

    def __init__(self, settings: Settings, runtime: Runtime) -> None:
        self._settings, self._runtime = settings, runtime
        self.telemetry = Telemetry(settings.service)
        self._kit: Kit | None = None

    @cached_property
    def streams(self) -> Crowd[EventStream]:
        """Answers that are being passed on."""
        return Crowd()

    @property
    def kit(self) -> Kit:
        if self._kit is None:
            self._kit = Kit.build(self._settings, self._runtime, self.telemetry)
        return self._kit

    async def messages(self, request: Request) -> Response:
        """Streamed if the body asks for it, else whole; refusals come before either begins."""
        return await self.answered(request, self._messages)

    @property
    def begun_by(self) -> float:
        """When a whole answer must be in, or a streamed one have begun (event loop's clock)."""
        return asyncio.get_running_loop().time() + float(self._settings.answer_timeout_s)

    @property
    def over_by(self) -> float:
        """When a streamed answer must have ended."""
        return asyncio.get_running_loop().time() + float(self._settings.stream_timeout_s)

    async def count_tokens(self, request: Request) -> Response:
        return await self.answered(request, self._count_tokens)

    async def models(self, request: Request) -> Response:
        return await self.answered(request, self._models)

    async def health(self, request: Request) -> Response:
        return self.plain(request, b'{"status": "ok"}')

    def plain(self, request: Request, body: bytes, *, status: int = 200) -> Response:
        """A JSON answer on a route that needs no key."""
        headers = {"request-id": self._incoming(request).request_id}
        return Response(body, status, headers, media_type="application/json")

    async def no_route(self, request: Request, _: Exception) -> Response:
        """What FastAPI itself refuses: a path or a method that is not served."""
        err = NotFound(f"no such route: {request.method} {request.url.path[:200]}")
        return refusal(err, self._incoming(request))

    async def close(self) -> None:
        if self._kit:
            await self._kit.close()

    def cut(self, err: KitError) -> None:
        """End every stream with an error: the process is going."""
        for stream in self.streams:
            stream.cut(err)

    async def answered(
        self,
        request: Request,
        answer: Callable[[Request, Incoming, float], Awaitable[Response]],
    ) -> Response:
        incoming, started = self._incoming(request), time.perf_counter()
        try:
            return await answer(request, incoming, started)
        except (CallerLeft, ClientDisconnect):
            return Response(status_code=LEFT)
        except Exception as err:
            return refusal(self._failed(incoming, started, err), incoming)

    async def _messages(self, request: Request, incoming: Incoming, started: float) -> Response:
        key = ClientKey.from_headers(request.headers)
        body = from_bytes(await body_of(request))
        checked, kit = messages.request(body, request.headers), self.kit
        if not body.get("stream"):
            whole = kit.answer(incoming, key, checked, deadline=self.begun_by)
            answer = await while_connected(request.receive, whole)
            return message(answer.reply.body, answer.reply, answer.limits, incoming)
        events = kit.stream(
            incoming, key, checked, deadline=self.over_by, open_deadline=self.begun_by
        )
        return await self.streamed(request, incoming, started, events)

    async def streamed(
        self,
        request: Request,
        incoming: Incoming,
        started: float,
        events: AsyncGenerator[Event],
    ) -> Response:
        """An answer event by event, once its first is there."""
        first = await while_connected(request.receive, anext(events))
        return EventStream(
            first,
            events,
            request_id=first.request_id or incoming.request_id,
            limits=first.limits.to_headers() if first.limits else {},
            ping_s=float(self._settings.ping_s),
            failed=partial(self._failed, incoming, started),
            among=self.streams,
        )

    async def _count_tokens(self, request: Request, incoming: Incoming, _: float) -> Response:
        key = ClientKey.from_headers(request.headers)
        checked = messages.count_request(from_bytes(await body_of(request)), request.headers)
        return _free(await self.kit.count_tokens(key, checked, deadline=self.begun_by), incoming)

    async def _models(self, request: Request, incoming: Incoming, _: float) -> Response:
        return _free(await self.kit.models(ClientKey.from_headers(request.headers)), incoming)

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


def refusal(err: KitError, incoming: Incoming) -> Response:
    """An error in the Messages API's shape."""
    shown = incoming.request_id
    content = json.dumps(err.to_json(shown), ensure_ascii=False)
    return Response(content, err.status, err.to_headers(shown), media_type="application/json")


def message(body: bytes, reply: Reply, limits: Limits, incoming: Incoming) -> Response:
    """A whole answer of Claude."""
    headers = {**limits.to_headers(), "request-id": reply.request_id or incoming.request_id}
    return Response(body, headers=headers, media_type="application/json")


def _free(free: Free, incoming: Incoming) -> Response:
    headers = {**free.limits.to_headers(), "request-id": incoming.request_id}
    return Response(free.body, headers=headers, media_type="application/json")


async def body_of(request: Request) -> bytes:
    """The body, no more of it than the limit, and no later than it may be.

    Raises:
        TooLarge; InvalidRequest: it did not arrive.
    """
    parts, size = [], 0
    try:
        async with asyncio.timeout(BODY_S):
            async for part in request.stream():
                size += len(part)
                if size > MAX_BODY_BYTES:
                    raise TooLarge(f"the body is above {MAX_BODY_BYTES} bytes")
                parts.append(part)
    except TimeoutError as err:
        raise InvalidRequest(f"the body did not arrive within {BODY_S:g} s") from err
    return b"".join(parts)
