"""What a caller may ask, checked before anything is spent, and what Claude answered."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from claude_core import fields
from claude_core.errors import AnswerLost, InvalidRequest
from claude_core.models import Model, Usage, resolve

Json = dict[str, Any]
NO_HEADERS: Mapping[str, str] = MappingProxyType({})

NON_STREAMING_MAX_TOKENS = 21_333
"""Above this an answer may take longer than ten minutes, and Claude wants it streamed."""
PROMPT_MAX_TOKENS, PROMPT_DEFAULT_TOKENS = 1_024, 512
FRAMING_TOKENS = 4_096
"""Room for what Claude adds to a prompt by itself: roles, tool and thinking instructions."""


@dataclass(frozen=True, slots=True)
class Request:
    """A Messages API request that may be sent: every field known, the alias resolved."""

    model: Model
    body: Json
    wire: bytes
    """The body as it goes to Claude."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """The caller's own `anthropic-version` and allowed `anthropic-beta`, to go along."""

    @property
    def max_tokens(self) -> int:
        return int(self.body.get("max_tokens", 0))

    @property
    def worst_cost(self) -> int:
        """The most this can cost, in nano-dollars. A token is at least one byte of UTF-8."""
        text_only = all(block.get("type") in fields.TEXT_BLOCKS for block in blocks(self.body))
        size = len(self.wire) + FRAMING_TOKENS
        return self.model.worst_cost(
            input_tokens=size if text_only else self.model.max_input_tokens,
            max_tokens=self.max_tokens,
            caches=b'"cache_control"' in self.wire,
        )


@dataclass(frozen=True, slots=True)
class Reply:
    """One whole answer of Claude: the bytes as they came, and what the kit reads from them."""

    body: bytes
    message: Json
    request_id: str | None = None

    @classmethod
    def from_bytes(cls, body: bytes, request_id: str | None = None) -> "Reply":
        """Read an answer; a partial one is never taken for a whole one.

        Raises:
            AnswerLost: not a message, or one without a stop reason, which was cut off.
        """
        try:
            message = json.loads(body)
        except ValueError as err:
            raise AnswerLost("Claude's answer could not be read; try again") from err
        if not isinstance(message, dict) or message.get("type") != "message":
            raise AnswerLost("Claude's answer was not a message; try again")
        if not message.get("stop_reason"):
            raise AnswerLost("Claude's answer was cut off before its end; try again")
        return cls(body, message, request_id)

    @property
    def usage(self) -> Usage:
        return Usage.from_json(self.message.get("usage") or {})

    @property
    def stop_reason(self) -> str:
        return str(self.message["stop_reason"])

    @property
    def text(self) -> str:
        """The text blocks joined; thinking and tool calls are not text."""
        content = self.message.get("content") or []
        return "".join(block["text"] for block in content if block.get("type") == "text")


def to_bytes(body: Json) -> bytes:
    """JSON as it goes over the wire.

    Raises:
        InvalidRequest: a lone surrogate, which no UTF-8 can carry.
    """
    try:
        return json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError as err:
        raise InvalidRequest("the text holds a lone surrogate, which is not valid Unicode") from err
    except RecursionError as err:
        raise InvalidRequest("the body is nested too deeply") from err


def from_bytes(body: bytes) -> Json:
    """A JSON object out of a request body.

    Raises:
        InvalidRequest: not UTF-8, not JSON, not an object, or text that is not Unicode.
    """

    def refuse(constant: str) -> float:
        raise InvalidRequest(f"the body is not valid JSON: {constant} is not a number in JSON")

    try:
        parsed = json.loads(body.decode(), parse_constant=refuse)
    except UnicodeDecodeError as err:
        raise InvalidRequest("the body is not valid UTF-8") from err
    except RecursionError as err:
        raise InvalidRequest("the body is nested too deeply") from err
    except ValueError as err:
        raise InvalidRequest(f"the body is not valid JSON: {err}") from err
    if not isinstance(parsed, dict):
        raise InvalidRequest("the body must be a JSON object")
    to_bytes(parsed)
    return parsed


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
    fields.check(body, fields.PROMPT)
    tokens = body.get("max_tokens", PROMPT_DEFAULT_TOKENS)
    if tokens > PROMPT_MAX_TOKENS:
        raise InvalidRequest(
            f"max_tokens: {tokens} is above {PROMPT_MAX_TOKENS}; longer answers: POST /v1/messages"
        )
    messages = [{"role": "user", "content": body["prompt"]}]
    asked = {"model": body.get("model", "fast"), "max_tokens": tokens, "messages": messages}
    if "system" in body:
        asked["system"] = body["system"]
    return request(asked)


def blocks(body: Json) -> Iterator[Json]:
    """Every content block of a request, those inside tool results and documents included."""
    system = body.get("system")
    pending: list[Any] = [*(system if isinstance(system, list) else [])]
    pending += [message.get("content") for message in body["messages"]]
    while pending:
        item = pending.pop()
        if isinstance(item, list):
            pending += item
        elif isinstance(item, dict):
            yield item
            pending.append(item.get("content"))
            source = item.get("source")
            pending.append(source.get("content") if isinstance(source, dict) else None)


def _checked(body: Json, table: dict[str, fields.Field], headers: Mapping[str, str]) -> Request:
    fields.check(body, table)
    for block in blocks(body):
        fields.check_block(block)
    model = resolve(body["model"])
    sent = {**body, "model": model.id}
    return Request(model, sent, to_bytes(sent), fields.check_headers(headers))
