"""HTTP as a command line asks it: the one owner of its retries, patient within bounds."""

import asyncio
import random
import time
from typing import Any

import httpx2

from claude_core.wire import Json
from kit.say import Stop

TIMEOUT = httpx2.Timeout(30.0, connect=5.0)
"""API Gateway answers within 29 s."""
UPLOAD_TIMEOUT = httpx2.Timeout(120.0, connect=5.0)
PATIENCE_S = 300.0
"""Of one without a single answer that was none of "later"; then the command gives up."""
LONGEST_WAIT_S = 65.0
"""A minute's rate resets within one; who is told to wait for longer has to come back."""
FAILURES = 6
"""Of one request: answers of 5xx, and connections that broke."""
BACKOFF_S, LONGEST_BACKOFF_S = 0.25, 8.0
HOPELESS = (httpx2.UnsupportedProtocol, httpx2.InvalidURL)


class Unreachable(Stop):
    """Nobody answers."""


class Refusal(Stop):
    """The server's own word; another attempt would hear the same."""

    def __init__(self, status: int, message: str, request_id: str, *, everybody: bool) -> None:
        whose = f" ({request_id})" if request_id else ""
        super().__init__(f"{status} {message}{whose}")
        self.status, self.message = status, message
        self.everybody = everybody
        """It is about who asks, not about what was asked: the next request hears it, too."""


class Patience:
    """Requests of one client, many at a time. What one is told to wait, all wait."""

    def __init__(self, headers: dict[str, str]) -> None:
        self._own = httpx2.AsyncClient(headers=headers, timeout=TIMEOUT)
        self._bare = httpx2.AsyncClient(timeout=UPLOAD_TIMEOUT)
        self._open_at = 0.0
        self._served_at: float | None = None
        self.limit: int | None = None
        """Requests a minute, as the last answer told."""

    async def close(self) -> None:
        await self._own.aclose()
        await self._bare.aclose()

    @property
    def waits_s(self) -> float:
        """How much longer nothing is asked; 0 if something may be."""
        return max(0.0, self._open_at - time.monotonic())

    async def ask(
        self, method: str, url: str, *, signed: bool = False, **asked: Any
    ) -> httpx2.Response:
        """One request, until it is answered for good.

        Args:
            signed: the URL itself says that it may; our headers are not for whoever serves it.

        Raises:
            Refusal; Unreachable.
        """
        http, failures = self._bare if signed else self._own, 0
        self._served_at = self._served_at or time.monotonic()
        while True:
            if wait_s := self.waits_s:
                # Not all of them at the same moment.
                await asyncio.sleep(_spread(wait_s, wait_s * 1.1))
                continue
            try:
                answer = await http.request(method, url, **asked)
            except (httpx2.TransportError, httpx2.InvalidURL) as err:
                failures += 1
                if failures >= FAILURES or isinstance(err, HOPELESS):
                    hint = "is it deployed? kit doctor"
                    raise Unreachable(f"{_origin(url)} cannot be reached; {hint}") from err
                await asyncio.sleep(_backoff(failures))
                continue
            limit = answer.headers.get("anthropic-ratelimit-requests-limit", "")
            self.limit = int(limit) if limit.isdigit() else self.limit
            if answer.status_code < 300:
                self._served_at = time.monotonic()
                return answer
            failures += answer.status_code != 429
            wait = _wait_s(answer, failures)
            if wait is None or failures >= FAILURES:
                raise _refusal(answer)
            if time.monotonic() + wait > self._served_at + PATIENCE_S:
                raise _refusal(answer)
            if answer.status_code in (429, 503):
                # The others would only hear the same.
                self._open_at = max(self._open_at, time.monotonic() + wait)
            else:
                await asyncio.sleep(wait)


def _wait_s(answer: httpx2.Response, failures: int) -> float | None:
    """How long to wait before the request is made again; None: that would not help."""
    if answer.headers.get("x-should-retry") == "false":
        return None
    if answer.status_code != 429 and answer.status_code < 500:
        return None
    try:
        told = float(answer.headers["retry-after"])
    except (KeyError, ValueError):
        return _backoff(failures)
    return max(told, 0.0) if told <= LONGEST_WAIT_S else None


def _backoff(failures: int) -> float:
    longest = min(BACKOFF_S * 2**failures, LONGEST_BACKOFF_S)
    return _spread(longest / 2, longest)


def _spread(shortest: float, longest: float) -> float:
    return random.uniform(shortest, longest)  # nosec B311: jitter


def _refusal(answer: httpx2.Response) -> Refusal:
    found = json_of(answer)
    error = found.get("error")
    words = error.get("message") if isinstance(error, dict) else found.get("message")
    return Refusal(
        answer.status_code,
        str(words or answer.reason_phrase),
        answer.headers.get("request-id", ""),
        everybody=answer.status_code in (401, 429, 503),
    )


def json_of(answer: httpx2.Response) -> Json:
    """An answer's JSON object; an empty one where it is none."""
    try:
        found = answer.json() if answer.content else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _origin(url: str) -> str:
    return "/".join(url.split("/")[:3])
