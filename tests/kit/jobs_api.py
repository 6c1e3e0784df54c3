"""The jobs API in memory, on a socket: it refuses, keeps and lists as the real one does.

A job moves on by a step whenever it is shown, so that a test never waits for one.
"""

import datetime as dt
import json
import secrets
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from claude_core.clients import ClientKey, new_key
from claude_core.errors import Conflict, KitError, NotAuthenticated, NotFound, TooMany
from claude_core.jobs.documents import content_of
from claude_core.jobs.intake import new_job
from claude_core.jobs.job import Status, new_job_id
from claude_core.jobs.store import asked_of
from claude_core.wire import from_bytes
from tests.serving import serving

WELL = ("queued", "running", "done")
COST = 0.002


@dataclass
class Kept:
    """One job."""

    asked: dict[str, Any]
    shown: dict[str, Any]
    steps: deque[str]
    place: str

    def move(self) -> None:
        if not self.steps:
            return
        status = self.steps.popleft()
        self.shown["status"] = status
        if status != "queued":
            self.shown["attempts"] = 1
        if status == "done":
            self.shown |= {"cost_usd": COST, "stop_reason": "end_turn", "finished_at": _now()}
        elif status in ("failed", "dead"):
            error = {"type": "timeout_error", "message": "Claude took longer than a job has"}
            self.shown |= {"error": error, "finished_at": _now()}


@dataclass
class JobsDouble:
    """What it keeps, what it was asked, and how it is to misbehave."""

    key: str = field(default_factory=new_key)
    url: str = ""
    jobs: dict[str, Kept] = field(default_factory=dict)
    uploads: dict[str, bytes] = field(default_factory=dict)
    steps: Callable[[str], tuple[str, ...]] = lambda doc: WELL
    """What becomes of a document's job; it stays at the last."""
    says: dict[str, Any] = field(default_factory=dict)
    """What done jobs are, besides."""
    rpm: int = 6_000
    left: int = 10**9
    """Requests that it takes before it answers 429; then it has `grant` more, and so on."""
    grant: int = 4
    retry_after: str = "1"
    away: int = 0
    """Requests that it answers by an overload, polls alone."""
    refused: int = 0
    """Times that it said 429."""
    broken: deque[Response] = field(default_factory=deque)
    """Answers that are given before any other."""
    calls: Counter[str] = field(default_factory=Counter)
    most_at_once: int = 0
    listed: threading.Event = field(default_factory=threading.Event)
    _open: int = 0

    @property
    def client(self) -> str:
        return ClientKey.parse(self.key).id

    def asked(self) -> dict[str, dict[str, Any]]:
        """What was asked, by document."""
        return {kept.shown["doc_id"]: kept.asked for kept in self.jobs.values()}

    async def serve(self, request: Request) -> Response:
        """Any request."""
        route = f"{request.method} {request.scope['route'].path}"
        self.calls[route] += 1
        self._open += 1
        self.most_at_once = max(self.most_at_once, self._open)
        try:
            body = await request.body()
            if self.broken:
                return self.broken.popleft()
            if self.away and request.method == "GET":
                self.away -= 1
                return Response(status_code=503, headers={"retry-after": "0"})
            if not route.startswith("PUT"):
                self._prove(request)
            return ROUTES[route](self, request, body)
        except KitError as err:
            headers = self._limits() | err.to_headers("req_test")
            if err.status == 429:
                headers["retry-after"] = self.retry_after
            return Response(json.dumps(err.to_json("req_test")), err.status, headers)
        finally:
            self._open -= 1

    def submit(self, request: Request, body: bytes) -> Response:
        asked = from_bytes(body)
        content = None
        if "upload" in asked:
            if asked["upload"] not in self.uploads:
                raise NotFound("upload: there is none of this name")
            content = content_of(self.uploads[asked["upload"]], "text/plain")
        new = new_job(self.client, asked, content=content)
        id = new_job_id(self.client, request.headers.get("idempotency-key"))
        before = self.jobs.get(id)
        if before is None:
            self._keep(id, asked_of(new), new.doc_id, new.lane, new.request.model.id)
        elif before.asked != asked_of(new):
            raise Conflict(f"Idempotency-Key: used before, for another job ({id})")
        shown = self.jobs[id].shown
        replayed = {"idempotent-replayed": "true"} if before else {}
        return self._json({"job_id": id, "status": shown["status"]}, 202, **replayed)

    def _keep(self, id: str, asked: Any, doc: str | None, lane: str, model: str) -> None:
        steps = deque(self.steps(doc or ""))
        shown = {
            "job_id": id,
            "status": "queued",
            "lane": lane,
            "model": model,
            "doc_id": doc,
            "created_at": _now(),
            "attempts": 0,
        }
        self.jobs[id] = Kept(asked, shown, steps, f"{shown['created_at']}#{id[-6:]}")
        self.jobs[id].move()

    def show(self, request: Request, body: bytes) -> Response:
        kept = self._find(request)
        kept.move()
        shown = dict(kept.shown)
        if shown["status"] == "done":
            text = f"about {shown['doc_id']}"
            content = [{"type": "text", "text": text}]
            message = {"type": "message", "content": content, "stop_reason": "end_turn"}
            shown |= {"result": message, "text": text, "usage": {"input_tokens": 9}, **self.says}
        return self._json(shown)

    def list(self, request: Request, body: bytes) -> Response:
        asked = request.query_params
        status, after = asked.get("status"), asked.get("after") or "~"
        limit = int(asked.get("limit", "20"))
        assert 1 <= limit <= 100
        assert status is None or status in {*Status}
        older = [one for one in self.jobs.values() if one.place < after]
        found = [one for one in older if status in (None, one.shown["status"])]
        found.sort(key=lambda one: one.place, reverse=True)
        page = found[:limit]
        for kept in page:
            kept.move()
        more = len(found) > limit
        self.listed.set()
        data = [one.shown | (self.says if one.shown["status"] == "done" else {}) for one in page]
        told = {"data": data, "has_more": more, "next": page[-1].place if more else None}
        return self._json(told)

    def cancel(self, request: Request, body: bytes) -> Response:
        shown = self._find(request).shown
        if shown["status"] not in ("queued", "cancelled"):
            raise Conflict(
                f"only a job that is queued can be cancelled: this one is {shown['status']}"
            )
        shown["status"] = "cancelled"
        return self._json(shown)

    def offer(self, request: Request, body: bytes) -> Response:
        asked, id = from_bytes(body), f"upload_{secrets.token_urlsafe(16)}"
        headers = {"content-type": asked["content_type"], "content-length": str(asked["bytes"])}
        url = f"{self.url}/bucket/{id}"
        told = {"upload": id, "method": "PUT", "url": url, "headers": headers, "expires_in_s": 900}
        return self._json(told, 201)

    def put(self, request: Request, body: bytes) -> Response:
        assert "x-api-key" not in request.headers
        assert len(body) == int(request.headers["content-length"])
        self.uploads[request.path_params["id"]] = body
        return Response()

    def _find(self, request: Request) -> Kept:
        kept = self.jobs.get(request.path_params["id"])
        if kept is None:
            raise NotFound("no such job")
        return kept

    def _prove(self, request: Request) -> None:
        if request.headers.get("x-api-key") != self.key:
            raise NotAuthenticated("x-api-key: no client has this key")
        self.left -= 1
        if self.left < 0:
            self.refused += 1
            self.left = self.grant
            raise TooMany("requests per minute of tests", retry_after_s=1)

    def _limits(self) -> dict[str, str]:
        return {"anthropic-ratelimit-requests-limit": str(self.rpm)}

    def _json(self, value: Any, status: int = 200, **headers: str) -> Response:
        told = {"content-type": "application/json", **self._limits()}
        names = {name.replace("_", "-"): said for name, said in headers.items()}
        return Response(json.dumps(value), status, told | names)


ROUTES: dict[str, Callable[[JobsDouble, Request, bytes], Response]] = {
    "POST /v1/jobs": JobsDouble.submit,
    "GET /v1/jobs": JobsDouble.list,
    "GET /v1/jobs/{id}": JobsDouble.show,
    "DELETE /v1/jobs/{id}": JobsDouble.cancel,
    "POST /v1/uploads": JobsDouble.offer,
    "PUT /bucket/{id}": JobsDouble.put,
}


class JobsServer:
    """One on loopback, for many tests: each begins with a double of its own."""

    def __init__(self) -> None:
        self.url, self.double = "", JobsDouble()

    def fresh(self) -> JobsDouble:
        self.double = JobsDouble(url=self.url)
        return self.double

    async def serve(self, request: Request) -> Response:
        return await self.double.serve(request)


@contextmanager
def jobs_server() -> Iterator[JobsServer]:
    server = JobsServer()
    routes = [Route(one.split()[1], server.serve, methods=[one.split()[0]]) for one in ROUTES]
    with serving(Starlette(routes=routes)) as url:
        server.url = url
        yield server


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
