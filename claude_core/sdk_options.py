"""How the SDK is asked, and what it answers read raw."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx2

from claude_core.raised import typed

CONNECT_TIMEOUT_S = 5.0
PLAIN = {"accept-encoding": "identity"}
"""For what is read as it comes."""


def options(key: str, *headers: Mapping[str, str]) -> Any:
    """Of one request.

    Args:
        headers: to go along; later ones win.
    """
    # The header that the SDK itself sends a key in; one of ours beside it would not replace it.
    sent = {"Authorization": f"Bearer {key}", "content-type": "application/json"}
    for more in headers:
        sent.update(more)
    # The caller's deadline is the only one: the SDK's own timeout is per read.
    timeout = httpx2.Timeout(None, connect=CONNECT_TIMEOUT_S)
    return {"headers": sent, "timeout": timeout}


async def chunks(response: httpx2.Response) -> AsyncIterator[bytes]:
    """A body as it comes."""
    with typed():
        async for chunk in response.aiter_raw():
            yield chunk
