"""What a caller may ask to be done later, checked before anything is kept."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from claude_core import fields
from claude_core.betas import check_headers
from claude_core.errors import InvalidRequest, TooLarge
from claude_core.fields import Field
from claude_core.jobs.asking import attached_request, request_of
from claude_core.jobs.documents import Content
from claude_core.messages import NO_HEADERS, Request
from claude_core.wire import Json

LANES = ("now", "batch")
IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}")
DOC_ID_CHARACTERS = 512
REQUEST_BYTES = 32_000_000
"""Claude's own limit: https://platform.claude.com/docs/en/api/overview"""


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job that may be kept: `body` is what it asks, `request` the same, checked."""

    client: str
    body: Json
    request: Request
    lane: str = "now"
    long: bool = False
    doc_id: str | None = None
    result_bucket: str | None = None


def _lane(value: object) -> str | None:
    return None if value in LANES else "must be now or batch"


def _doc_id(value: object) -> str | None:
    if isinstance(value, str) and value.strip() and len(value) <= DOC_ID_CHARACTERS:
        return None
    return f"must be a string of 1 to {DOC_ID_CHARACTERS} characters"


_OBJECT, _TEXT = fields.MESSAGES["metadata"].check, fields.PROMPT["prompt"].check
_BOOLEAN, _TOKENS = fields.MESSAGES["stream"].check, fields.PROMPT["max_tokens"].check

DOCUMENT = {
    "doc_id": Field(_doc_id, required=True),
    "content": Field(_TEXT),
    "upload": Field(_TEXT),
    "instruction": Field(_TEXT),
    "model": Field(_TEXT),
    "max_tokens": Field(_TOKENS),
}
REQUEST = {"request": Field(_OBJECT, required=True), "doc_id": Field(_doc_id)}
COMMON = {"lane": Field(_lane), "long": Field(_BOOLEAN), "result_bucket": Field(_TEXT)}


def new_job(
    client: str,
    body: Json,
    *,
    content: Content | None = None,
    headers: Mapping[str, str] = NO_HEADERS,
    buckets: frozenset[str] = frozenset(),
) -> NewJob:
    """Check the body of `POST /v1/jobs`.

    Args:
        content: of the upload that the body names, where it names one.
        headers: the caller's, names in lower case.
        buckets: those that a result may be asked for in.

    Raises:
        InvalidRequest: names the field and the rule; NotFound, NotAllowed: as for a message;
        TooLarge: Claude would take no such request.
    """
    check(body)
    lane, long = body.get("lane", "now"), body.get("long", False)
    if long and lane == "batch":
        raise InvalidRequest("long: a batch has a day already; leave it out")
    asked = _asked(body, content)
    passed, betas = check_headers(headers)
    if betas or "anthropic-beta" in passed:
        if lane == "batch":
            raise InvalidRequest("anthropic-beta: not for jobs of the batch lane; use lane now")
        asked["headers"] = dict(passed)
    bucket = body.get("result_bucket")
    if bucket is not None and bucket not in buckets:
        known = ", ".join(sorted(buckets)) or "none"
        raise InvalidRequest(f"result_bucket: {bucket[:63]} is not one of those allowed ({known})")
    request = request_of(asked, streamed=long or lane == "batch")
    if len(request.wire) > REQUEST_BYTES:
        raise TooLarge(f"the request has {len(request.wire)} bytes; the limit is {REQUEST_BYTES}")
    return NewJob(
        client=client,
        body=asked,
        request=request,
        lane=lane,
        long=long,
        doc_id=body.get("doc_id"),
        result_bucket=bucket,
    )


def fields_of(body: Json) -> dict[str, Field]:
    """The fields that a job of its kind may have."""
    return (REQUEST if "request" in body else DOCUMENT) | COMMON


def check(body: Json) -> None:
    """Whether the fields are those of a job.

    Raises:
        InvalidRequest: names the field and the rule.
    """
    table = fields_of(body)
    for name in sorted(body.keys() - table.keys()):
        where = "a job with a request" if "request" in body else "a document job"
        raise InvalidRequest(f"{name[:100]}: no such field of {where}")
    fields.check(body, table)
    if "request" not in body and ("content" in body) == ("upload" in body):
        raise InvalidRequest("content: field required (or upload: what POST /v1/uploads gave)")


def check_idempotency_key(key: str | None) -> str | None:
    """The header as it may be used.

    Raises:
        InvalidRequest.
    """
    if key is not None and not IDEMPOTENCY_KEY.fullmatch(key):
        raise InvalidRequest("Idempotency-Key: must be 1 to 255 visible ASCII characters")
    return key


def _asked(body: Json, content: Content | None) -> dict[str, Any]:
    if "request" in body:
        return {"request": body["request"]}
    if isinstance(content, dict):
        return {"request": attached_request(body, content)}
    kept = ("instruction", "model", "max_tokens")
    text = body["content"] if content is None else content
    if not text.strip():
        raise InvalidRequest("content: must be a string with text in it")
    return {"doc": {"content": text, **{name: body[name] for name in kept if name in body}}}
