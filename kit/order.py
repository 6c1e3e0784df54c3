"""What is asked about every document, and the job that each becomes."""

import hashlib
from dataclasses import dataclass, replace
from typing import Literal

from claude_core.errors import InvalidRequest, NotFound
from claude_core.jobs.documents import MOST_BYTES, PDF
from claude_core.jobs.job import new_job_id
from claude_core.models import resolve
from claude_core.wire import MAX_BODY_BYTES, Json, to_bytes
from kit.documents import Document, Unreadable, text
from kit.say import Stop

Lane = Literal["now", "batch"]


@dataclass(frozen=True, slots=True)
class Asked:
    """One job as it goes out; the same document, asked the same, has the same key."""

    body: Json
    key: str
    upload: bytes | None = None
    """What is too large for the body, or no text; it goes ahead, and the body names it."""
    content_type: str = "text/plain"

    def id(self, client: str) -> str:
        """The job's id, as the API makes it of the key."""
        return new_job_id(client, self.key)

    def after(self, job_id: str) -> "Asked":
        """The same once more, after a job that gave no answer: it has one key, too."""
        return replace(self, key=_key(f"{self.key} {job_id}".encode()))

    @property
    def name(self) -> str | None:
        doc_id = self.body.get("doc_id")
        return doc_id if isinstance(doc_id, str) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The options of a submission; of a line of a `.jsonl` file, those that it leaves out."""

    instruction: str | None = None
    lane: Lane = "now"
    long: bool = False
    model: str | None = None
    max_tokens: int | None = None
    result_bucket: str | None = None

    def checked(self) -> "Order":
        """
        Raises:
            Stop: every document would be refused.
        """
        if self.long and self.lane == "batch":
            raise Stop("--long and --lane batch do not go together: a batch has a day", code=2)
        if self.instruction is not None and not self.instruction.strip():
            raise Stop("--instruction: must have text in it", code=2)
        if self.max_tokens is not None and self.max_tokens < 1:
            raise Stop(f"--max-tokens {self.max_tokens}: must be 1 or more", code=2)
        if self.model is not None:
            try:
                resolve(self.model)
            except NotFound as unknown:
                raise Stop(f"--model: {unknown.message}", code=2) from unknown
        return self

    def of(self, document: Document) -> Asked:
        """
        Raises:
            Unreadable: there is no job in it.
        """
        if document.at is not None:
            return self._line(document)
        data = document.read()
        body = {"doc_id": document.name, **self._document(), **self._common()}
        if document.content_type == PDF:
            return _uploaded(body, data, document.content_type)
        return _fitting({**body, "content": text(data)}, document.content_type)

    def _line(self, document: Document) -> Asked:
        line = document.line()
        if "request" not in line:
            return _fitting({"doc_id": document.name, **self._document(), **self._common(), **line})
        return _fitting({"doc_id": document.name, **self._common(), **line})

    def _document(self) -> Json:
        given = {
            "instruction": self.instruction,
            "model": self.model,
            "max_tokens": self.max_tokens,
        }
        return {name: value for name, value in given.items() if value is not None}

    def _common(self) -> Json:
        given = {"long": self.long or None, "result_bucket": self.result_bucket}
        return {"lane": self.lane} | {name: value for name, value in given.items() if value}


def _fitting(body: Json, content_type: str = "text/plain") -> Asked:
    """With its text in the body, or uploaded where the body would be too large."""
    try:
        wire = to_bytes(dict(sorted(body.items())))
    except InvalidRequest as err:
        raise Unreadable(err.message) from err
    if len(wire) <= MAX_BODY_BYTES:
        return Asked(body, _key(wire))
    if not isinstance(body.get("content"), str):
        raise Unreadable(f"has more than {MAX_BODY_BYTES:,} bytes")
    rest = {name: value for name, value in body.items() if name != "content"}
    return _uploaded(rest, body["content"].encode(), content_type)


def _uploaded(body: Json, data: bytes, content_type: str) -> Asked:
    if len(data) > MOST_BYTES:
        raise Unreadable(f"has more than {MOST_BYTES:,} bytes")
    about = {"sha256": hashlib.sha256(data).hexdigest(), "type": content_type}
    wire = to_bytes(dict(sorted((body | {"upload": about}).items())))
    return Asked(body, _key(wire), data, content_type)


def _key(wire: bytes) -> str:
    return f"kit-{hashlib.sha256(wire).hexdigest()}"
