"""The kit's own front of a deployed REST API: `python -m local.front`, one process for each API.

The emulator's API Gateway buffers every answer. So the routes of web services go from here to the
running service, and their answers pass on as API Gateway would pass them: as they are written only
where the deployed template says STREAM. Everything else goes to the emulator.
"""

import asyncio
import json
import secrets
import sys
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path as FilePath

import httpx2
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route as Path

from local.routes import Route

MAX_BODY = 10_000_000
"""API Gateway's limit for a request, in bytes."""
Headers = list[tuple[bytes, bytes]]
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "host", "content-length", "date"}


class Front:
    """One API: `services` are the URLs of running web services by their function's logical id."""

    def __init__(
        self, *, stage: str, routes: list[Route], services: dict[str, str], emulator: str
    ) -> None:
        self._stage, self._services, self._emulator = stage, services, emulator
        self._routes = {
            (route.method, route.path): route for route in routes if route.function in services
        }
        # As the adapter, and API Gateway before it: a connection of its own for each request.
        limits = httpx2.Limits(max_keepalive_connections=0)
        self._reading: set[asyncio.Task[None]] = set()
        self._http = httpx2.AsyncClient(timeout=None, limits=limits)

    def app(self) -> Starlette:
        @asynccontextmanager
        async def lifespan(_: Starlette) -> AsyncIterator[None]:
            yield
            await self._http.aclose()

        methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        paths = [Path(f"/{self._stage}{{path:path}}", self._answer, methods=methods)]
        return Starlette(routes=paths, lifespan=lifespan)

    async def _answer(self, request: Request) -> Response:
        path, body = request.path_params["path"], await request.body()
        if len(body) > MAX_BODY:
            return _refused(413, "request_too_large", "the body is above 10 MB")
        route = self._routes.get((request.method, path))
        url = self._services[route.function] if route else self._emulator
        query = f"?{request.url.query}" if request.url.query else ""
        # As bytes: a caller may send what is no ASCII.
        headers = [(k, v) for k, v in request.headers.raw if k.decode() not in HOP_BY_HOP]
        if route:
            headers = self._added(headers)
        sent = self._http.build_request(
            request.method, url + path + query, headers=headers, content=body
        )
        try:
            async with asyncio.timeout(route.timeout_s if route else None):
                answer = await self._http.send(sent, stream=True)
                if not (route and route.streams):
                    await answer.aread()
        except TimeoutError:
            return _refused(504, "timeout_error", "no answer in time; ask for less")
        except httpx2.LocalProtocolError:
            return _refused(400, "invalid_request_error", "a header holds a control character")
        except httpx2.HTTPError:
            return _refused(502, "api_error", "the request failed; try again")
        kept = {k: v for k, v in answer.headers.items() if k not in HOP_BY_HOP}
        if route and route.streams:
            return StreamingResponse(
                self._chunks(answer, route.timeout_s), answer.status_code, kept
            )
        await answer.aclose()
        kept.pop("content-encoding", None)
        return Response(answer.content, answer.status_code, kept)

    def _added(self, headers: Headers) -> Headers:
        """What the adapter puts in place of whatever the caller sent under these names, and the
        trace that API Gateway begins where the caller brings none."""
        context = {
            "requestId": str(uuid.uuid4()),
            "requestTimeEpoch": int(time.time() * 1_000),
            "stage": self._stage,
        }
        own = {
            b"x-amzn-request-context": json.dumps(context).encode(),
            b"x-amzn-lambda-context": json.dumps({"request_id": str(uuid.uuid4())}).encode(),
        }
        if b"x-amzn-trace-id" not in {name for name, _ in headers}:
            root = f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)}"
            own[b"x-amzn-trace-id"] = root.encode()
        return [*(pair for pair in headers if pair[0] not in own), *own.items()]

    def _chunks(self, answer: httpx2.Response, timeout_s: float) -> AsyncIterator[bytes]:
        """The answer as it is written. A caller that leaves is not told to the function, which
        writes on: as on Lambda."""
        chunks: asyncio.Queue[bytes | None] = asyncio.Queue()

        async def read() -> None:
            try:
                with suppress(TimeoutError, httpx2.HTTPError):
                    async with asyncio.timeout(timeout_s):
                        async for chunk in answer.aiter_raw():
                            chunks.put_nowait(chunk)
            finally:
                chunks.put_nowait(None)
                await answer.aclose()

        async def passed_on() -> AsyncIterator[bytes]:
            while (chunk := await chunks.get()) is not None:
                yield chunk

        reading = asyncio.create_task(read())
        self._reading.add(reading)
        reading.add_done_callback(self._reading.discard)
        return passed_on()


def _refused(status: int, kind: str, message: str) -> Response:
    request_id = str(uuid.uuid4())
    error = {"type": kind, "message": message}
    content = json.dumps({"type": "error", "error": error, "request_id": request_id})
    headers = {"request-id": request_id}
    return Response(content, status, headers, media_type="application/json")


def main() -> None:
    """Serve what a file describes: port, stage, routes, services, emulator."""
    told = json.loads(FilePath(sys.argv[1]).read_text())
    front = Front(
        stage=told["stage"],
        routes=[Route(**route) for route in told["routes"]],
        services=told["services"],
        emulator=told["emulator"],
    )
    uvicorn.run(
        front.app(), host="127.0.0.1", port=told["port"], log_level="warning", access_log=False
    )


if __name__ == "__main__":
    main()
