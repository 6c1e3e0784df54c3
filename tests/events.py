"""API Gateway's REST proxy events, and answers read back."""

import json
import time
import uuid
from typing import Any


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
