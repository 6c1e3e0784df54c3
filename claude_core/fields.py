"""Which fields of the Messages API pass, as tables: a row a field.

What changes neither the price nor whose data is read passes as it came. The rest needs to be
allowed for the client that asks (`extras.py`), or is refused by name. The OpenAPI document shows
the same rows: each kind of value has its JSON schema beside its check.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from claude_core.errors import InvalidRequest
from claude_core.extras import EXTRAS, NAME, NEVER, UNKNOWN, of_block, of_source, of_tool
from claude_core.models import MODELS, ROLES
from claude_core.wire import Json

SPEAKERS = ("user", "assistant", "system")
TTLS = ("5m", "1h")
"""How long a prompt may be cached: those whose price is known."""
TEXT_BLOCKS = ("text", "tool_use", "tool_result", "thinking", "redacted_thinking")
BLOCKS = (*TEXT_BLOCKS, "image", "document", "search_result")
MOST_TOKENS = max(model.max_tokens for model in MODELS)
MOST_EXTRAS = 10
"""In one request: each is a part of the condition that reserves its money."""

Check = Callable[[Any], str | None]
"""What is wrong with a value, or None."""


class Kind(NamedTuple):
    """A kind of value: how it is checked, and the JSON schema that says the same."""

    check: Check
    schema: Json

    def narrowed(self, **schema: Any) -> "Kind":
        """The same check with a narrower schema, for a rule that is checked where more is known."""
        return Kind(self.check, {**self.schema, **schema})


@dataclass(frozen=True, slots=True)
class Field:
    """The values that a request field may have, and its default."""

    kind: Kind
    required: bool = False
    default: Any = None
    """The value that is used when the field is absent; None if there is none."""
    description: str | None = None

    @property
    def check(self) -> Check:
        return self.kind.check

    @property
    def schema(self) -> Json:
        shown = {"default": self.default, "description": self.description}
        return self.kind.schema | {name: it for name, it in shown.items() if it is not None}


def schema(table: Mapping[str, Field], **more: Any) -> Json:
    """The JSON schema of a body with the fields of a table.

    Extras are not in it: not every client may send them.

    Args:
        more: keywords for the whole body, such as a rule about several fields.
    """
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [name for name, field in table.items() if field.required],
        "properties": {name: field.schema for name, field in table.items()},
        **more,
    }


def filled(body: Json, table: Mapping[str, Field]) -> Json:
    """A body with the defaults of its table."""
    defaults = {name: field.default for name, field in table.items()}
    return {name: it for name, it in defaults.items() if it is not None} | body


def ref(name: str) -> Json:
    """The schema that the OpenAPI document has under a name."""
    return {"$ref": f"#/components/schemas/{name}"}


def text(most: int | None = None) -> Kind:
    """A string with more than whitespace in it, and at most so many characters."""
    wanted = "a string with text in it" if most is None else f"a string of 1 to {most} characters"

    def check(value: object) -> str | None:
        good = isinstance(value, str) and value.strip() and (most is None or len(value) <= most)
        return None if good else f"must be {wanted}"

    said = {"type": "string", "minLength": 1, "pattern": r"\S"}
    return Kind(check, said if most is None else {**said, "maxLength": most})


def whole(most: int | None = None, *, above: str = "") -> Kind:
    """A whole number from 1.

    Args:
        above: what a caller is told who wants more than `most`.
    """

    def check(value: object) -> str | None:
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            return "must be a whole number from 1"
        return None if most is None or value <= most else f"{value} is above {most}{above}"

    said = {"type": "integer", "minimum": 1}
    return Kind(check, said if most is None else {**said, "maximum": most})


def choice(*values: str) -> Kind:
    """A string that must be one of `values`."""
    wanted = " or ".join(values) if len(values) == 2 else f"one of {', '.join(values)}"

    def check(value: object) -> str | None:
        return None if value in values else f"must be {wanted}"

    return Kind(check, {"enum": list(values)})


def model(*more: str) -> Kind:
    """A model's name. Any text passes: `models.resolve` answers 404 for a model that is unknown.

    Args:
        more: names beside the roles and the ids.
    """
    return Kind(TEXT.check, {"enum": [*more, *ROLES, *(one.id for one in MODELS)]})


def _instance(type: type, name: str, wanted: str) -> Kind:
    def check(value: object) -> str | None:
        return None if isinstance(value, type) else f"must be {wanted}"

    return Kind(check, {"type": name})


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
        if message.get("role") not in SPEAKERS:
            return f"{at}.role must be one of {', '.join(SPEAKERS)}"
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


CONTENT: Json = {"oneOf": [{"type": "string"}, {"type": "array", "items": ref("Block")}]}
MESSAGE: Json = {
    "type": "object",
    "required": ["role", "content"],
    "properties": {"role": {"enum": list(SPEAKERS)}, "content": CONTENT},
}
TTL: Json = {"ttl": {"enum": list(TTLS)}}
CACHE: Json = {"type": ["object", "null"], "properties": TTL}
BLOCK: Json = {
    "type": "object",
    "required": ["type"],
    "properties": {
        "type": {"enum": list(BLOCKS)},
        "content": CONTENT,
        "source": {"type": ["object", "string"], "properties": {"content": CONTENT}},
        "cache_control": CACHE,
    },
}
TOOL: Json = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string"},
        "type": {"const": "custom"},
        "description": {"type": "string"},
        "input_schema": {"type": "object"},
        "cache_control": CACHE,
    },
}

TEXT, TOKENS = text(), whole().narrowed(maximum=MOST_TOKENS)
STRING, OBJECT = _instance(str, "string", "a string"), _instance(dict, "object", "an object")
LIST, BOOLEAN = _instance(list, "array", "a list"), _instance(bool, "boolean", "true or false")
CONVERSATION = Kind(_messages, {"type": "array", "minItems": 1, "items": MESSAGE})
TOOLS = Kind(_tools, {"type": "array", "items": ref("Tool")})

ROLE_OR_ID = "A role, or a model id."
COUNT_TOKENS = {
    "model": Field(model(), required=True, description=ROLE_OR_ID),
    "messages": Field(CONVERSATION, required=True),
    "system": Field(Kind(_system, CONTENT)),
    "tools": Field(TOOLS),
    "tool_choice": Field(OBJECT),
    "thinking": Field(OBJECT),
    "output_config": Field(OBJECT),
    "cache_control": Field(OBJECT.narrowed(properties=TTL)),
}
MESSAGES = {
    **COUNT_TOKENS,
    "max_tokens": Field(TOKENS, required=True),
    "stop_sequences": Field(LIST.narrowed(items={"type": "string"})),
    "metadata": Field(OBJECT),
    "stream": Field(BOOLEAN),
}
PROMPT = {
    "prompt": Field(TEXT, required=True),
    "model": Field(model(), default="fast", description=ROLE_OR_ID),
    "max_tokens": Field(whole(1_024, above="; longer answers: POST /v1/messages"), default=512),
    "system": Field(STRING),
}


def check(body: Json, table: Mapping[str, Field]) -> set[str]:
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
    if isinstance(marked, dict) and marked.get("ttl") not in (None, *TTLS):
        raise InvalidRequest(f"cache_control.ttl: must be {' or '.join(TTLS)}")
