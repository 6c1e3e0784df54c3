"""API Gateway's REST proxy events, answers read back, and bodies that are none."""

import json
import time
import uuid
from typing import Any

BAD_BODIES = [
    None,
    "",
    "{",
    "[]",
    "null",
    '"text"',
    b"\xed\xa0\x80",
    '{"prompt": "\ud800"}',
    '{"prompt": "\\ud800", "messages": "\\ud800"}',
    '{"prompt": 1, "max_tokens": -1, "model": 2}',
    '{"nothing": "known"}',
    "[" * 100_000,
]
"""Bodies that no route takes."""


def event(
    route: str, body: object = None, *, key: str | None = None, **headers: str
) -> dict[str, Any]:
    """What API Gateway hands to the function for one request; `body` bytes and text go raw."""
    method, path = route.split(" ")
    if key:
        headers["x-api-key"] = key
    if isinstance(body, bytes):
        body = body.decode(errors="surrogatepass")
    elif body is not None and not isinstance(body, str):
        body = json.dumps(body)
    return {
        "httpMethod": method,
        "resource": path,
        "path": path,
        "headers": {name.replace("_", "-"): value for name, value in headers.items()},
        "queryStringParameters": None,
        "body": body,
        "isBase64Encoded": False,
        "requestContext": {
            "requestId": str(uuid.uuid4()),
            "requestTimeEpoch": int(time.time() * 1_000),
            "stage": "dev",
        },
    }


def parsed(answer: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Status and JSON body of a handler's answer."""
    return answer["statusCode"], json.loads(answer["body"])
