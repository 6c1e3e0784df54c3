"""JSON schemas of bodies and answers, by the names that `http_routes.py` knows them by.

Bodies come from the tables in `fields.py`. Schemas are made when a document is, not at import.
"""

from collections.abc import Mapping
from types import MappingProxyType

from claude_core import fields, messages
from claude_core.wire import Json

STRING: Json = {"type": "string"}
INTEGER: Json = {"type": "integer"}
NUMBER: Json = {"type": "number"}
BOOLEAN: Json = {"type": "boolean"}
OBJECT: Json = {"type": "object"}
NOTHING: Mapping[str, Json] = MappingProxyType({})


def record(required: Mapping[str, Json], optional: Mapping[str, Json] = NOTHING) -> Json:
    """An object of an answer, which may come to have more."""
    return {"type": "object", "required": [*required], "properties": {**required, **optional}}


def array(items: Json) -> Json:
    return {"type": "array", "items": items}


def message(more: Mapping[str, Json] = NOTHING) -> Json:
    """A whole answer of Claude, and what stands in it besides."""
    return record(
        {
            "id": STRING,
            "type": {"const": "message"},
            "role": {"const": "assistant"},
            "content": array(OBJECT),
            "model": STRING,
            "stop_reason": STRING,
            "usage": OBJECT,
            **more,
        }
    )


def error() -> Json:
    """What `KitError.to_json` has under `error`."""
    return record({"type": STRING, "message": STRING}, {"budget": OBJECT})


def core() -> dict[str, Json]:
    """The schemas that more than one pattern needs."""
    return {
        "Block": fields.BLOCK,
        "Tool": fields.TOOL,
        "Prompt": fields.schema(fields.PROMPT),
        "Messages": fields.schema(fields.MESSAGES, **messages.STREAMED_OR_SHORT),
        "CountTokens": fields.schema(fields.COUNT_TOKENS),
        "PromptAnswer": record(
            {
                "text": STRING,
                "tokens": INTEGER,
                "usage": OBJECT,
                "model": STRING,
                "stop_reason": STRING,
                "cost_usd": NUMBER,
            }
        ),
        "Message": message(),
        "Event": {
            **record({"event": STRING, "data": STRING}),
            "description": "Of each event.",
        },
        "TokenCount": record({"input_tokens": INTEGER}),
        "Models": record(
            {
                "data": array(
                    record({"id": STRING, "type": {"const": "model"}, "display_name": STRING})
                ),
                "has_more": BOOLEAN,
            }
        ),
        "Error": record({"type": {"const": "error"}, "error": error(), "request_id": STRING}),
        "Health": record({"status": {"const": "ok"}}),
        "OpenApi": OBJECT,
    }
