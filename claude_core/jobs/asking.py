"""What a job asks of Claude: `{"doc": {...}}` or `{"request": {...}}`, as its row keeps it."""

import hashlib
from collections.abc import Iterator
from typing import Any

from claude_core import messages
from claude_core.errors import InvalidRequest
from claude_core.messages import BYTES_PER_TOKEN, NON_STREAMING_MAX_TOKENS, Request
from claude_core.models import resolve
from claude_core.wire import Json

INSTRUCTION = "Summarize"
MODEL, MAX_TOKENS = "balanced", 2_048
CACHE_5_MINUTES = {"cache_control": {"type": "ephemeral"}}
CACHE_1_HOUR = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}


def request_of(
    body: Json, *, streamed: bool = False, shared: str | None = None, hour: bool = False
) -> Request:
    """The checked request of a job's body.

    Args:
        streamed: it may be as long as its model writes: it is streamed, or part of a batch.
        shared: what of a document job other jobs ask with, too: its "instruction" or its
            "content"; it goes first, and is marked for the prompt cache.
        hour: the cache is to keep it for an hour, at twice the price of writing it.

    Raises:
        InvalidRequest, NotFound, NotAllowed: as `messages.request` does.
    """
    asked = document_request(body["doc"], shared, hour) if "doc" in body else body["request"]
    if "stream" in asked:
        raise InvalidRequest("stream: a job's answer is kept, not streamed")
    asked = {**asked, "stream": True} if streamed else asked
    return messages.request(asked, body.get("headers") or messages.NO_HEADERS)


def too_long(body: Json) -> bool:
    """Whether an answer may be so long that Claude wants it streamed, or in a batch."""
    asked = body["doc"] if "doc" in body else body["request"]
    return bool(asked.get("max_tokens", MAX_TOKENS) > NON_STREAMING_MAX_TOKENS)


def cacheable(doc: Json) -> Iterator[tuple[str, str]]:
    """What of a document job is long enough for its model's prompt cache: "instruction" and
    "content", each with what it has in common with its like in other jobs."""
    least = resolve(doc.get("model", MODEL)).cache_min_tokens * BYTES_PER_TOKEN
    for name in ("instruction", "content"):
        text = doc.get(name) or INSTRUCTION
        if len(text) >= least:
            yield name, hashlib.sha256(f"{name}{text}".encode()).hexdigest()


def document_request(doc: Json, shared: str | None = None, hour: bool = False) -> Json:
    """`Summarize:\\n\\n{content}`, or whatever the instruction says instead."""
    instruction, content = doc.get("instruction") or INSTRUCTION, doc["content"]
    said: Any = f"{instruction}:\n\n{content}"
    mark = CACHE_1_HOUR if hour else CACHE_5_MINUTES
    if shared == "instruction":
        said = [_text(f"{instruction}:", mark), _text(content)]
    elif shared == "content":
        said = [_text(content, mark), _text(instruction)]
    return _request(doc, said)


def attached_request(doc: Json, block: Json) -> Json:
    """The same of a document that Claude reads itself, such as a PDF."""
    return _request(doc, [block, _text(doc.get("instruction") or INSTRUCTION)])


def _request(doc: Json, said: Any) -> Json:
    return {
        "model": doc.get("model", MODEL),
        "max_tokens": doc.get("max_tokens", MAX_TOKENS),
        "messages": [{"role": "user", "content": said}],
    }


def _text(text: str, mark: Json | None = None) -> Json:
    return {"type": "text", "text": text, **(mark or {})}
