"""Which fields of the Messages API pass, as tables: a row a field, unknown ones are refused.

What changes neither the price nor whose data is read passes as it came. The rest is refused by
name: it could cost more than was reserved, or reach what belongs to another client.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from claude_core.errors import InvalidRequest, NotAllowed

ROLES = ("user", "assistant", "system")

Check = Callable[[Any], str | None]
"""What is wrong with a value, or None."""


@dataclass(frozen=True, slots=True)
class Field:
    check: Check
    required: bool = False


def _is(*kinds: type, said: str) -> Check:
    def check(value: object) -> str | None:
        wrong = not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds)
        return f"must be {said}" if wrong else None

    return check


_string, _object = _is(str, said="a string"), _is(dict, said="an object")
_list, _boolean = _is(list, said="a list"), _is(bool, said="true or false")


def _text(value: object) -> str | None:
    return None if isinstance(value, str) and value.strip() else "must be a string with text in it"


def _tokens(value: object) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return None
    return "must be a whole number from 1"


def _content(value: object, where: str) -> str | None:
    if isinstance(value, str):
        return None
    if not isinstance(value, list):
        return f"{where} must be a string or a list of content blocks"
    for at, block in enumerate(value):
        if not isinstance(block, dict) or not isinstance(block.get("type"), str):
            return f"{where}.{at} must be an object with a type"
    return None


def _messages(value: object) -> str | None:
    if not isinstance(value, list) or not value:
        return "must be a list with at least one message"
    for at, message in enumerate(value):
        if not isinstance(message, dict):
            return f"{at} must be an object"
        if message.get("role") not in ROLES:
            return f"{at}.role must be one of {', '.join(ROLES)}"
        if wrong := _content(message.get("content"), f"{at}.content"):
            return wrong
    return None


def _system(value: object) -> str | None:
    return _content(value, "system")


def _tools(value: object) -> str | None:
    """Only tools that the caller runs: the server's are priced and run apart."""
    if not isinstance(value, list):
        return "must be a list"
    for at, tool in enumerate(value):
        if not isinstance(tool, dict) or not isinstance(tool.get("name"), str):
            return f"{at} must be an object with a name"
        kind = tool.get("type")
        if kind not in (None, "custom"):
            return f"{at}.type: {str(kind)[:100]!r} runs at Claude and is not allowed here"
    return None


COUNT_TOKENS = {
    "model": Field(_text, required=True),
    "messages": Field(_messages, required=True),
    "system": Field(_system),
    "tools": Field(_tools),
    "tool_choice": Field(_object),
    "thinking": Field(_object),
    "output_config": Field(_object),
    "cache_control": Field(_object),
}
MESSAGES = {
    **COUNT_TOKENS,
    "max_tokens": Field(_tokens, required=True),
    "stop_sequences": Field(_list),
    "metadata": Field(_object),
    "stream": Field(_boolean),
}
PROMPT = {
    "prompt": Field(_text, required=True),
    "model": Field(_text),
    "max_tokens": Field(_tokens),
    "system": Field(_string),
}

WHY_REFUSED = {
    "temperature": "the 5.5 models choose it themselves; leave it out",
    "top_p": "the 5.5 models choose it themselves; leave it out",
    "top_k": "the 5.5 models choose it themselves; leave it out",
    "service_tier": "it changes the price, and is not allowed here",
    "speed": "it changes the price, and is not allowed here",
    "inference_geo": "it changes the price, and is not allowed here",
    "container": "it reaches stored things, and is not allowed here",
    "mcp_servers": "it reaches remote things, and is not allowed here",
}

TEXT_BLOCKS = frozenset({"text", "tool_use", "tool_result", "thinking", "redacted_thinking"})
BLOCKS = TEXT_BLOCKS | {"image", "document", "search_result"}
REMOTE_SOURCES = frozenset({"url", "file"})

BETAS = frozenset(
    {
        "fine-grained-tool-streaming-2025-05-14",
        "interleaved-thinking-2025-05-14",
        "structured-outputs-2025-11-13",
        "token-efficient-tools-2025-02-19",
    }
)
"""Betas that change neither price nor tenancy."""


def check(body: dict[str, Any], table: dict[str, Field]) -> None:
    """Hold a request body against a table.

    Raises:
        InvalidRequest: the first field that is unknown, missing or wrong, and why.
    """
    for name in body:
        if name not in table:
            why = WHY_REFUSED.get(name, "no such field is known here")
            raise InvalidRequest(f"{name[:100]}: {why}")
    for name, field in table.items():
        if name not in body:
            if field.required:
                raise InvalidRequest(f"{name}: field required")
        elif wrong := field.check(body[name]):
            raise InvalidRequest(f"{name}: {wrong}")


def check_block(block: dict[str, Any]) -> None:
    """Refuse content that runs at Claude or is fetched from elsewhere.

    Raises:
        InvalidRequest: the block's type or source, and why.
    """
    kind = block.get("type")
    if not isinstance(kind, str) or kind not in BLOCKS:
        raise InvalidRequest(f"content block of type {str(kind)[:100]!r} is not allowed here")
    source = block.get("source")
    if isinstance(source, dict) and source.get("type") in REMOTE_SOURCES:
        raise InvalidRequest(
            f"{kind} by {source['type']} is not allowed here; send it inline as base64"
        )


def check_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The caller's headers that go along: answers have the shape of its `anthropic-version`.

    Raises:
        InvalidRequest: a version that is no date; NotAllowed: a beta that is not on the list.
    """
    passed = {}
    if version := headers.get("anthropic-version", "").strip():
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", version):
            raise InvalidRequest("anthropic-version: must be a date, such as 2023-06-01")
        passed["anthropic-version"] = version
    betas = [beta.strip() for beta in headers.get("anthropic-beta", "").split(",") if beta.strip()]
    if unknown := sorted(set(betas) - BETAS):
        raise NotAllowed(f"anthropic-beta: {unknown[0][:100]!r} is not allowed here")
    if betas:
        passed["anthropic-beta"] = ",".join(betas)
    return passed
