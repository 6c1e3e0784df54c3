"""What a caller may ask, checked before anything is spent."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from claude_core import fields
from claude_core.betas import check_headers
from claude_core.errors import InvalidRequest
from claude_core.extras import of_block
from claude_core.models import Model, resolve
from claude_core.wire import Json, to_bytes
from claude_core.worst import most

NO_HEADERS: Mapping[str, str] = MappingProxyType({})

NON_STREAMING_MAX_TOKENS = 21_333
"""Above this an answer may take longer than ten minutes, and Claude wants it streamed."""
STREAMED_OR_SHORT: Json = {
    "anyOf": [
        {"required": ["stream"], "properties": {"stream": {"const": True}}},
        {"properties": {"max_tokens": {"maximum": NON_STREAMING_MAX_TOKENS}}},
    ]
}
"""The same as a JSON schema."""
BYTES_PER_TOKEN = 4
"""Of English text, about: only to tell whether a prompt is long enough to be cached."""


@dataclass(frozen=True, slots=True)
class Request:
    """A Messages API request that may be sent: every field known, the alias resolved."""

    model: Model
    body: Json
    wire: bytes
    """The body as it goes to Claude."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """The caller's own `anthropic-version` and allowed `anthropic-beta`, to go along."""
    needs: frozenset[str] = frozenset()
    """What its client must be allowed (`extras.py`)."""

    @property
    def max_tokens(self) -> int:
        return int(self.body.get("max_tokens", 0))

    @property
    def worst_cost(self) -> int:
        """The most this can cost, in nano-dollars."""
        return self.worst()

    def worst(self, *, batch: bool = False) -> int:
        """The same, or as a part of a batch, at half the price."""
        text_only = all(block.get("type") in fields.TEXT_BLOCKS for block, _ in blocks(self.body))
        bound = most(
            *(self.model, self.body),
            size=len(self.wire),
            text_only=text_only,
            needs=self.needs,
        )
        # A prompt that the client's own option may yet mark for the cache is priced for it.
        marked = self._marked or self.cacheable
        ttl = "1h" if b'"1h"' in self.wire else "5m"
        return self.model.worst_cost(replace(bound, batch=batch), cache=ttl if marked else None)

    @property
    def _marked(self) -> bool:
        return b'"cache_control"' in self.wire

    @property
    def cacheable(self) -> bool:
        """Long enough for the model's prompt cache, and not marked for it by the caller."""
        long = len(self.wire) // BYTES_PER_TOKEN >= self.model.cache_min_tokens
        return long and not self._marked

    def cached(self) -> "Request":
        """The same request with automatic caching: everything up to its last block, 5 minutes."""
        body = {**self.body, "cache_control": {"type": "ephemeral"}}
        return replace(self, body=body, wire=to_bytes(body))


def request(body: Json, headers: Mapping[str, str] = NO_HEADERS) -> Request:
    """Check a `POST /v1/messages` body; aliases become model ids.

    Args:
        headers: the caller's, names in lower case.

    Raises:
        InvalidRequest: names the field and the rule; NotFound: no such model.
        NotAllowed: a beta that is not on the list.
    """
    checked = _checked(body, fields.MESSAGES, headers)
    tokens, model = body["max_tokens"], checked.model
    limit = model.max_tokens if body.get("stream") else NON_STREAMING_MAX_TOKENS
    if tokens > limit:
        hint = "" if body.get("stream") else "; ask for more with streaming"
        raise InvalidRequest(f"max_tokens: {tokens} is above {limit}{hint}")
    return checked


def count_request(body: Json, headers: Mapping[str, str] = NO_HEADERS) -> Request:
    """Check a `POST /v1/messages/count_tokens` body, as `request` does."""
    return _checked(body, fields.COUNT_TOKENS, headers)


def prompt_request(body: Json) -> Request:
    """Turn `{"prompt", "model"?, "max_tokens"?, "system"?}` into a request, role fast by default.

    Raises:
        InvalidRequest: names the field and the rule; NotFound: no such model.
    """
    for name in sorted(fields.check(body, fields.PROMPT)):
        raise InvalidRequest(f"{name[:100]}: no such field of this route")
    asked = fields.filled(body, fields.PROMPT)
    said = {"role": "user", "content": asked.pop("prompt")}
    return request({**asked, "messages": [said]})


def blocks(body: Json) -> Iterator[tuple[Json, bool]]:
    """Every content block of a request, those inside results and documents included; and whether
    it is part of what a tool at Claude has found."""
    system = body.get("system")
    pending: list[tuple[Any, bool]] = [(system if isinstance(system, list) else [], False)]
    pending += [(message.get("content"), False) for message in body["messages"]]
    while pending:
        item, result = pending.pop()
        if isinstance(item, list):
            pending += [(part, result) for part in item]
        elif isinstance(item, dict):
            yield item, result
            inside = result or of_block(item) is not None
            pending.append((item.get("content"), inside))
            source = item.get("source")
            pending.append((source.get("content") if isinstance(source, dict) else None, inside))


def _checked(body: Json, table: dict[str, fields.Field], headers: Mapping[str, str]) -> Request:
    needs = fields.check(body, table)
    for block, result in blocks(body):
        needs |= fields.check_block(block, result=result)
        fields.check_cache(block)
    for holder in (body, *(body.get("tools") or [])):
        fields.check_cache(holder)
    passed, betas = check_headers(headers)
    model = resolve(body["model"])
    if body.get("speed") == "fast" and model.fast is None:
        raise InvalidRequest(f"speed: no price is known for {model.id} at speed fast")
    sent = {**body, "model": model.id}
    return Request(model, sent, to_bytes(sent), passed, frozenset(needs | betas))
