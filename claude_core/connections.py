"""The connections of one process, to Claude and to AWS alike: bounded, without redirects, and
without timeouts of their own, since every call has a deadline."""

import httpx2

from claude_core.lazy import anthropic

LIMITS = httpx2.Limits(max_connections=1_000, keepalive_expiry=60.0)
"""Said outright: without a limit the client stops at 100, in silence."""


def connections() -> httpx2.AsyncClient:
    """httpx2 over aiohttp: a fifth of the CPU of a call less, and half of that of a streamed token
    (docs/decisions/0006-aiohttp-below.md). Must be made on the event loop that will use it.

    Raises:
        RuntimeError: aiohttp is not in the bundle.
    """
    return anthropic.DefaultAioHttpClient(limits=LIMITS, timeout=None, follow_redirects=False)
