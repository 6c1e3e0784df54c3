"""A request as it reached us: what a line in the log needs to be found again."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
AMAZON = re.compile(r"(?:^|;)Root=(1-[0-9a-f]{8}-[0-9a-f]{24})")


@dataclass(frozen=True, slots=True)
class Incoming:
    """One request, by its ids: ours, and the caller's trace if it sent one."""

    request_id: str
    trace_id: str | None = None

    @classmethod
    def of(cls, request_id: str, headers: Mapping[str, str]) -> "Incoming":
        """Read the trace: W3C's `traceparent`, else `x-amzn-trace-id`, which API Gateway adds."""
        if found := TRACEPARENT.fullmatch(headers.get("traceparent", "")):
            return cls(request_id, found[1])
        found = AMAZON.search(headers.get("x-amzn-trace-id", ""))
        return cls(request_id, found[1] if found else None)
