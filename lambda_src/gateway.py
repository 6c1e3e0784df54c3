"""API Gateway's event in, its answer out: the only place that knows their shapes."""

import base64
import binascii
import json
import time
from dataclasses import dataclass, field
from typing import Any

from claude_core.errors import InvalidRequest, KitError
from claude_core.incoming import Incoming
from claude_core.limits import Limits


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request."""

    route: str
    """Method and resource, for example `POST /v1/messages`."""
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes
    incoming: Incoming
    received: float
    """When API Gateway got it, in seconds since the epoch."""
    path: dict[str, str] = field(default_factory=dict)
    """What stands in the path for each `{name}` of the route."""
    query: dict[str, str] = field(default_factory=dict)
    """The last of each name."""

    @property
    def late_s(self) -> float:
        """That it waited before this code saw it."""
        return max(0.0, time.time() - self.received)

    @classmethod
    def from_event(cls, event: dict[str, Any]) -> "Call":
        """Read a REST API proxy event.

        Raises:
            InvalidRequest: the body is not what it says.
        """
        context = event["requestContext"]
        text = event.get("body") or ""
        try:
            # A lone surrogate in the raw body is carried on, so that the validator names it.
            raw = text.encode(errors="surrogatepass")
            body = base64.b64decode(raw, validate=True) if event.get("isBase64Encoded") else raw
        except binascii.Error as err:
            raise InvalidRequest("the body is not valid base64") from err
        headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
        received = context.get("requestTimeEpoch")
        return cls(
            route=f"{event['httpMethod']} {event['resource']}",
            headers=headers,
            body=body,
            incoming=Incoming.of(context["requestId"], headers),
            received=received / 1_000 if received else time.time(),
            path=event.get("pathParameters") or {},
            query=event.get("queryStringParameters") or {},
        )


@dataclass(frozen=True, slots=True)
class Answered:
    """One HTTP answer with a JSON body."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, value: object, limits: Limits | None = None, *, status: int = 200) -> "Answered":
        headers = limits.to_headers() if limits else {}
        return cls(json.dumps(value, ensure_ascii=False).encode(), status, headers)

    @classmethod
    def failed(cls, err: KitError, request_id: str) -> "Answered":
        """An error in the Messages API's shape, with what a client library needs to act on it."""
        body = json.dumps(err.to_json(request_id), ensure_ascii=False).encode()
        return cls(body, err.status, err.to_headers(request_id))

    def to_event(self, request_id: str) -> dict[str, Any]:
        headers = {"content-type": "application/json", "request-id": request_id, **self.headers}
        return {"statusCode": self.status, "headers": headers, "body": self.body.decode()}
