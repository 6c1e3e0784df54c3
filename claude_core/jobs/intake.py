"""What a caller may ask to be done later, checked before anything is kept."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from claude_core import fields
from claude_core.betas import check_headers
from claude_core.errors import InvalidRequest, TooLarge
from claude_core.fields import Field
from claude_core.jobs.asking import INSTRUCTION, MAX_TOKENS, MODEL, attached_request, request_of
from claude_core.jobs.documents import Content
from claude_core.jobs.uploads import UPLOAD
from claude_core.messages import NO_HEADERS, NON_STREAMING_MAX_TOKENS, Request
from claude_core.wire import Json

LANES = ("now", "batch")
KEY_CHARACTERS = 255
IDEMPOTENCY_KEY = re.compile(rf"[!-~]{{1,{KEY_CHARACTERS}}}")
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


_REQUEST = {name: field for name, field in fields.MESSAGES.items() if name != "stream"}
_DOC_ID, _YOURS = fields.text(DOC_ID_CHARACTERS), "Your own name for it."

DOCUMENT = {
    "doc_id": Field(_DOC_ID, required=True, description=_YOURS),
    "content": Field(fields.TEXT),
    "upload": Field(
        fields.TEXT.narrowed(pattern=f"^{UPLOAD.pattern}$"),
        description="Instead of content: what POST /v1/uploads gave.",
    ),
    "instruction": Field(fields.TEXT, default=INSTRUCTION),
    "model": Field(fields.model(), default=MODEL, description=fields.ROLE_OR_ID),
    "max_tokens": Field(fields.TOKENS, default=MAX_TOKENS),
}
REQUEST = {
    "request": Field(
        fields.OBJECT.narrowed(**fields.schema(_REQUEST)),
        required=True,
        description="A request of the Messages API, without stream.",
    ),
    "doc_id": Field(_DOC_ID, description=_YOURS),
}
COMMON = {
    "lane": Field(
        fields.choice(*LANES),
        default="now",
        description="now: as soon as Claude's rate limits allow. batch: within a day, at half the "
        "price.",
    ),
    "long": Field(
        fields.BOOLEAN,
        default=False,
        description="The answer may take up to an hour; not for the batch lane.",
    ),
    "result_bucket": Field(
        fields.TEXT,
        description="Keep a copy of the result there: one of the buckets that this deployment "
        "allows.",
    ),
}


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
    common = fields.filled(body, COMMON)
    lane, long = common["lane"], common["long"]
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


def schema() -> Json:
    """The JSON schema of the body of `POST /v1/jobs`: the tables, and what `new_job` checks of
    several fields together."""
    short = {"max_tokens": {"maximum": NON_STREAMING_MAX_TOKENS}}
    document = fields.schema(
        DOCUMENT | COMMON,
        title="A document",
        oneOf=[{"required": ["content"]}, {"required": ["upload"]}],
        anyOf=_lanes(short),
    )
    request = fields.schema(
        REQUEST | COMMON, title="A request", anyOf=_lanes({"request": {"properties": short}})
    )
    return {"oneOf": [document, request]}


def _lanes(short: Json) -> list[Json]:
    """A batch, a long job, or neither, which has to be short."""
    batch, now = {"lane": {"const": "batch"}}, {"lane": {"const": "now"}}
    long, brief = {"long": {"const": True}}, {"long": {"const": False}}
    return [
        {"required": ["lane"], "properties": {**batch, **brief}},
        {"required": ["long"], "properties": {**now, **long}},
        {"properties": {**now, **brief, **short}},
    ]


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
