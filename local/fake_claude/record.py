"""One request as it arrived, and what became of it."""

import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local.fake_claude.errors import ApiError
from local.fake_claude.request import BATCHES, largest, parse

SHOWN_HEADERS = ("anthropic-version", "anthropic-beta", "user-agent", "content-type", "x-fake")
SECRET_HEADERS = ("x-api-key", "authorization")
"""Shown by their last four characters, so that no key stands in a report."""
SHOWN_BYTES = 1024 * 1024
"""A larger body is no part of a report, which would be megabytes long; it can be had by itself."""
ROUTES = ("/v1/messages", "/v1/messages/count_tokens", BATCHES, "/v1/models")
OF_BATCH = ("", "/cancel", "/results")


@dataclass(slots=True, kw_only=True)
class Record:
    """One request; `changed` is called whenever something worth counting happens to it."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    header_names: list[str]
    changed: Callable[[], None]
    id: str = field(default_factory=lambda: f"req_{uuid.uuid4().hex[:24]}")
    opened: float = field(default_factory=time.monotonic)
    raw: bytes = b""
    size: int = 0
    let_go: bool = False
    """Its body is no longer kept, or will not be."""
    status: int | None = None
    behaviour: str | None = None
    line: str | None = None
    """Whose rate limits its answer shows: a model line's, or those of batches."""
    output_tokens: int = 0
    left_after_s: float | None = None
    """The caller was gone after so many seconds, before the answer was complete."""
    finished: bool = False

    @property
    def route(self) -> str:
        """The route in the statistics; ids and unknown paths are kept out of it."""
        if self.path in ROUTES:
            return f"{self.method} {self.path}"
        if self.path.startswith("/v1/models/"):
            return f"{self.method} /v1/models/{{id}}"
        if self.path.startswith(f"{BATCHES}/"):
            _, slash, rest = self.path.removeprefix(f"{BATCHES}/").partition("/")
            if slash + rest in OF_BATCH:
                return f"{self.method} {BATCHES}/{{id}}{slash}{rest}"
        return f"{self.method} (unknown)"

    def left(self) -> None:
        """The caller closed the connection while its answer was still being made."""
        if not self.finished:
            self.left_after_s = time.monotonic() - self.opened
            self.finish()

    def finish(self) -> None:
        """The last byte is about to leave, or none will; safe to call again."""
        if not self.finished:
            self.finished = True
            self.changed()

    def body(self) -> Mapping[str, Any]:
        """The body, read as JSON, or the API's refusal of it."""
        return parse(self.raw, self.size, largest(self.path))

    def to_json(self) -> dict[str, Any]:
        """The request, its body (None where that is refused, or long) and its fate."""
        try:
            body = self.body() if self.size <= SHOWN_BYTES else None
        except ApiError:
            body = None
        return {
            "id": self.id,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "headers": self.headers,
            "header_names": self.header_names,
            "body": body,
            "size": self.size,
            "status": self.status,
            "behaviour": self.behaviour,
            "output_tokens": self.output_tokens,
            "left_after_s": self.left_after_s,
        }


def open_record(
    *,
    method: str,
    path: str,
    query: str,
    headers: Iterable[tuple[bytes, bytes]],
    changed: Callable[[], None],
) -> Record:
    """A record of a request whose headers have arrived."""
    given = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}
    shown = {name: value for name, value in given.items() if name in SHOWN_HEADERS}
    hidden = {name: f"…{given[name][-4:]}" for name in SECRET_HEADERS if name in given}
    return Record(
        method=method,
        path=path,
        query=query,
        headers={**shown, **hidden},
        header_names=sorted(given),
        changed=changed,
    )
