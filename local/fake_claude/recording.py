"""Around every API route: notes what came and what went, and adds the headers of every answer."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local.fake_claude.record import Record
from local.fake_claude.request import largest
from local.fake_claude.state import State

RECORD = "fake_claude.record"
"""Where the rest of the program finds a request's record in its scope."""
CONTROL = "/_fake/"


class Recording:
    """ASGI middleware; the control routes are none of its business."""

    def __init__(self, app: ASGIApp, fake: State) -> None:
        self._app, self._fake = app, fake

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(CONTROL):
            await self._app(scope, receive, send)
            return
        stats = self._fake.stats
        query = scope["query_string"].decode("latin-1")
        record = stats.open(scope["method"], scope["path"], query, scope["headers"])
        scope[RECORD] = record
        try:
            raw = await _body(record, receive)
            if raw is None:
                record.left()
                return
            stats.keep(record, raw)
            await self._app(scope, receive, self._noting(record, send))
        finally:
            record.finish()

    def _noting(self, record: Record, send: Send) -> Send:
        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                record.status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["request-id"] = record.id
                self._add(headers, record, message["status"])
            elif not message.get("more_body"):
                # Counted before it is sent: whoever has the last byte finds it in the counts.
                record.finish()
            await send(message)

        return noting

    def _add(self, headers: MutableHeaders, record: Record, status: int) -> None:
        if status != 401:
            headers["anthropic-organization-id"] = self._fake.organization
        if record.line is not None and (status < 300 or status == 429):
            scripted = status == 429 and record.behaviour is not None
            headers.update(self._fake.limits.headers(record.line, exhausted=scripted))


async def _body(record: Record, receive: Receive) -> bytes | None:
    """The request body; of one that is too large only the size, and None if it never came whole."""
    chunks: list[bytes] = []
    most = largest(record.path)
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        record.size += len(message.get("body", b""))
        if record.size <= most:
            chunks.append(message.get("body", b""))
        else:
            chunks.clear()
        if not message.get("more_body"):
            return b"".join(chunks)
