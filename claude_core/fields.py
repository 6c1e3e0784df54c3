"""Which fields of the Messages API pass, as tables: a row a field.

What changes neither the price nor whose data is read passes as it came. The rest needs to be
allowed for the client that asks (`extras.py`), or is refused by name.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from claude_core.errors import InvalidRequest
from claude_core.extras import EXTRAS, NAME, NEVER, UNKNOWN, of_block, of_source, of_tool

ROLES = ("user", "assistant", "system")
MOST_EXTRAS = 10
"""In one request: each is a part of the condition that reserves its money."""

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
    if not isinstance(value, list):
        return "must be a list"
    for at, tool in enumerate(value):
        if not isinstance(tool, dict):
            return f"{at} must be an object"
        if tool.get("type") != "mcp_toolset" and not isinstance(tool.get("name"), str):
            return f"{at} must be an object with a name"
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

TEXT_BLOCKS = frozenset({"text", "tool_use", "tool_result", "thinking", "redacted_thinking"})
BLOCKS = TEXT_BLOCKS | {"image", "document", "search_result"}


def check(body: dict[str, Any], table: dict[str, Field]) -> set[str]:
    """Hold a request body against a table; the extras that its client must be allowed.

    Raises:
        InvalidRequest: the first field that is never served, missing or wrong, and why.
    """
    for name, field in table.items():
        if name not in body:
            if field.required:
                raise InvalidRequest(f"{name}: field required")
        elif wrong := field.check(body[name]):
            raise InvalidRequest(f"{name}: {wrong}")
    needs: set[str] = set()
    for name in body.keys() - table.keys():
        if name in NEVER:
            raise InvalidRequest(f"{name}: {NEVER[name]}")
        if name in MESSAGES:
            raise InvalidRequest(f"{name}: no such field of this route")
        extra = EXTRAS.get(name)
        if extra and not extra.field:
            raise InvalidRequest(f"{name}: {UNKNOWN.why}")
        if extra and extra.values and body[name] not in extra.values:
            raise InvalidRequest(f"{name}: must be one of {', '.join(extra.values)}")
        if not extra and (len(needs) >= MOST_EXTRAS or not NAME.fullmatch(name)):
            raise InvalidRequest(f"{name[:100]}: {UNKNOWN.why}")
        needs.add(name)
    tools = body.get("tools") or [] if "tools" in table else []
    return needs | {need for tool in tools if (need := of_tool(tool))}


def check_block(block: dict[str, Any], *, result: bool) -> set[str]:
    """The extras that a content block needs, one that runs at Claude or is fetched from elsewhere.

    Args:
        result: it is part of what a tool at Claude has found, which goes back as it came.

    Raises:
        InvalidRequest: a type of block that is never served.
    """
    kind, needs = block.get("type"), set[str]()
    if need := of_block(block):
        needs.add(need)
    elif not result and (not isinstance(kind, str) or kind not in BLOCKS):
        raise InvalidRequest(f"content block of type {str(kind)[:100]!r} is not allowed here")
    if need := of_source(block.get("source")):
        needs.add(need)
    return needs


def check_cache(holder: dict[str, Any]) -> None:
    """Refuse a time to live whose price is not known.

    Raises:
        InvalidRequest.
    """
    marked = holder.get("cache_control")
    if isinstance(marked, dict) and marked.get("ttl") not in (None, "5m", "1h"):
        raise InvalidRequest("cache_control.ttl: must be 5m or 1h")
