"""The connections of one process, to Claude and to AWS alike: bounded, without redirects, and
without timeouts of their own, since every call has a deadline."""

from typing import Any

import httpx2

from claude_core.lazy import anthropic

LIMITS = httpx2.Limits(max_connections=1_000, keepalive_expiry=60.0)
"""Said outright: without a limit the client for streams stops at 100, in silence."""
_OPTIONS: dict[str, Any] = {"limits": LIMITS, "timeout": None, "follow_redirects": False}


def for_answers() -> httpx2.AsyncClient:
    """httpx2 as it is: the least to import, which is what a cold start waits for."""
    return httpx2.AsyncClient(**_OPTIONS)


def for_streams() -> httpx2.AsyncClient:
    """httpx2 over aiohttp: half of the CPU for each chunk that comes (`make bench`).

    Raises:
        RuntimeError: aiohttp is not in the bundle.
    """
    return anthropic.DefaultAioHttpClient(**_OPTIONS)
