"""API Gateway's event in, its answer out: the only place that knows their shapes."""

import base64
import binascii
import json
import time
from dataclasses import dataclass, field
from typing import Any

from claude_core.errors import InvalidRequest, KitError, TooLarge

MAX_BODY_BYTES = 4_500_000
"""API Gateway takes 10 MB and Lambda 6, base64 and escapes included; this leaves room for both."""


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request."""

    route: str
    """Method and resource, for example `POST /v1/messages`."""
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes
    id: str
    received: float
    """When API Gateway got it, in seconds since the epoch."""

    @classmethod
    def from_event(cls, event: dict[str, Any]) -> "Call":
        """Read a REST API proxy event.

        Raises:
            TooLarge, InvalidRequest: the body cannot be taken.
        """
        context = event["requestContext"]
        text = event.get("body") or ""
        try:
            # A lone surrogate in the raw body is carried on, so that the validator names it.
            raw = text.encode(errors="surrogatepass")
            body = base64.b64decode(raw, validate=True) if event.get("isBase64Encoded") else raw
        except binascii.Error as err:
            raise InvalidRequest("the body is not valid base64") from err
        if len(body) > MAX_BODY_BYTES:
            raise TooLarge(f"the body has {len(body)} bytes; the limit is {MAX_BODY_BYTES}")
        headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
        received = context.get("requestTimeEpoch")
        return cls(
            route=f"{event['httpMethod']} {event['resource']}",
            headers=headers,
            body=body,
            id=context["requestId"],
            received=received / 1_000 if received else time.time(),
        )


@dataclass(frozen=True, slots=True)
class Answered:
    """One HTTP answer with a JSON body."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, value: object) -> "Answered":
        return cls(json.dumps(value, ensure_ascii=False).encode())

    @classmethod
    def failed(cls, err: KitError, request_id: str) -> "Answered":
        """An error in the Messages API's shape, with what a client library needs to act on it."""
        # The official SDKs obey x-should-retry; a 503 that waits for a human is not worth it.
        headers = {"x-should-retry": "true" if err.retry_helps else "false"}
        if err.retry_after_s is not None:
            headers["retry-after"] = str(max(1, round(err.retry_after_s)))
        shown = err.request_id or request_id
        body = json.dumps(err.to_json(shown), ensure_ascii=False).encode()
        return cls(body, err.status, {**headers, "request-id": shown})

    def to_event(self, request_id: str) -> dict[str, Any]:
        headers = {"content-type": "application/json", "request-id": request_id, **self.headers}
        return {"statusCode": self.status, "headers": headers, "body": self.body.decode()}
