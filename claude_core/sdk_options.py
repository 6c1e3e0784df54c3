"""How the SDK is asked and over what, and what it answers read raw."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx2

from claude_core.connections import KEPT_S, LIMIT
from claude_core.lazy import anthropic
from claude_core.raised import typed

CONNECT_TIMEOUT_S = 5.0
PLAIN = {"accept-encoding": "identity"}
"""For what is read as it comes."""


def claude_http() -> httpx2.AsyncClient:
    """httpx2 over aiohttp: a fifth of the CPU of a call less, and half of that of a streamed token
    (docs/decisions/0006-aiohttp-below.md). Must be made on the event loop that will use it.

    Raises:
        RuntimeError: aiohttp is not in the bundle.
    """
    limits = httpx2.Limits(max_connections=LIMIT, keepalive_expiry=KEPT_S)
    return anthropic.DefaultAioHttpClient(limits=limits, timeout=None, follow_redirects=False)


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
