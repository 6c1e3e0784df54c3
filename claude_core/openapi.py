"""The OpenAPI document of some routes, made from their rows and from the tables of fields.

Each process makes its own at the first request for it and keeps it: a millisecond once, and no
step of a build in which the document could fall behind the code.
"""

import json
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from claude_core import schemas
from claude_core.fields import ref
from claude_core.http_routes import Backend, HttpAnswer, HttpRoute, served_by
from claude_core.wire import Json

INFO = {
    "title": "Claude, through the deployment kit",
    "version": "1",
    "description": "The Messages API of Claude for clients of this deployment, and a shorter way "
    "in. Errors have the Messages API's shape. An official SDK works with base_url and a client "
    "key.",
}
KEYS = {
    "apiKey": {"type": "apiKey", "in": "header", "name": "x-api-key"},
    "bearer": {"type": "http", "scheme": "bearer"},
}


def _header(description: str, **schema: Any) -> Json:
    return {"description": description, "schema": schema}


LIMITS = {
    "anthropic-ratelimit-requests-limit": _header(
        "Requests that the client may make in a minute.", type="integer"
    ),
    "anthropic-ratelimit-requests-remaining": _header(
        "Those that are left of this minute.", type="integer"
    ),
    "anthropic-ratelimit-requests-reset": _header(
        "When the next minute begins.", type="string", format="date-time"
    ),
    "anthropic-ratelimit-budget-limit": _header(
        "USD that the client may spend in a month.", type="number"
    ),
    "anthropic-ratelimit-budget-remaining": _header(
        "Those that are left of this month.", type="number"
    ),
    "anthropic-ratelimit-budget-reset": _header(
        "When the next month begins.", type="string", format="date-time"
    ),
}
"""As `Limits.to_headers` writes them, in every answer to a client that is known."""
HEADERS = {
    "request-id": _header("Names the call: Claude's id where Claude was asked.", type="string"),
    "x-should-retry": _header(
        "Whether to send the request again; the official SDKs obey it.", enum=["true", "false"]
    ),
    "retry-after": _header(
        "Seconds to wait before that, where it is known.", type="integer", minimum=1
    ),
    **LIMITS,
}
WAITS_FROM = 429
"""The lowest status with which waiting can help."""


@cache
def document(*backends: Backend, more: Callable[[], dict[str, Json]] = dict[str, Json]) -> bytes:
    """What `GET /openapi.json` answers.

    Args:
        backends: those whose routes are described.
        more: makes the schemas that the routes name beside the core's.
    """
    paths: dict[str, Json] = {}
    for route in served_by(*backends):
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    found = {
        "openapi": "3.1.0",
        "info": INFO,
        "security": [{name: []} for name in KEYS],
        "paths": paths,
        "components": {
            "securitySchemes": KEYS,
            "headers": HEADERS,
            "schemas": _needed(paths, schemas.core() | more()),
        },
    }
    return json.dumps(found, ensure_ascii=False).encode()


def _operation(route: HttpRoute) -> Json:
    shown: Json = {"operationId": route.id, "summary": route.summary}
    if route.description:
        shown["description"] = route.description
    if not route.key:
        shown["security"] = []
    if route.parameters:
        shown["parameters"] = [
            {
                "name": one.name,
                "in": one.place,
                **({"required": True} if one.place == "path" else {}),
                **({"description": one.description} if one.description else {}),
                "schema": ref(one.schema),
            }
            for one in route.parameters
        ]
    if route.body:
        shown["requestBody"] = {"required": True, "content": _json(route.body)}
    answers = {status: _answer(route, one) for status, one in route.answers.items()}
    errors = {status: _error(route, status, said) for status, said in route.errors.items()}
    shown["responses"] = {str(status): it for status, it in sorted((answers | errors).items())}
    return shown


def _answer(route: HttpRoute, answer: HttpAnswer) -> Json:
    content = _json(answer.schema)
    if answer.events:
        content["text/event-stream"] = {"schema": ref("Event")}
    headers = _headers("request-id", *(LIMITS if route.key else ()))
    return {
        "description": answer.description,
        "headers": {**headers, **answer.headers},
        "content": content,
    }


def _error(route: HttpRoute, status: int, description: str) -> Json:
    known = LIMITS if route.key and status != 401 else ()
    waits = ("retry-after",) if status >= WAITS_FROM else ()
    headers = _headers("request-id", "x-should-retry", *waits, *known)
    return {"description": description, "headers": headers, "content": _json("Error")}


def _headers(*names: str) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _json(schema: str) -> Json:
    return {"application/json": {"schema": ref(schema)}}


def _needed(paths: Json, known: dict[str, Json]) -> dict[str, Json]:
    """The schemas that the paths name, and those that these name."""
    found: dict[str, Json] = {}
    pending = list(_named(paths))
    while pending:
        name = pending.pop()
        if name not in found:
            found[name] = known[name]
            pending += _named(known[name])
    return {name: found[name] for name in known if name in found}


def _named(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        target = value.get("$ref")
        if isinstance(target, str) and target.startswith("#/components/schemas/"):
            yield target.rpartition("/")[2]
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _named(item)
