"""The connections of one process to AWS, and what those to Claude have in common with them: limits,
how long they are kept, and no timeouts of their own, since every call has a deadline."""

from types import TracebackType
from typing import Self

import aiohttp
from yarl import URL

from claude_core.aws_shapes import Answer

LIMIT = 1_000
"""Said outright: without one both libraries stop at 100, in silence."""
KEPT_S = 60.0
CONNECT_S = 1.0
UNSENT = ("Accept", "Accept-Encoding", "User-Agent")
"""What aiohttp would add to each request."""


class AwsHttp:
    """AWS over aiohttp itself: half of the CPU of a call through httpx2
    (docs/decisions/0006-aiohttp-below.md). Must be made on the event loop that will use it."""

    def __init__(self) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=LIMIT, keepalive_timeout=KEPT_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=UNSENT,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._session.close()

    async def send(
        self, method: str, url: str, headers: dict[str, str], body: bytes, *, read_s: float
    ) -> Answer:
        """One request just as it is, and all of its answer.

        Args:
            url: with its path escaped.
            read_s: the longest silence.

        Raises:
            aiohttp.ClientError, TimeoutError: there is no whole answer.
        """
        async with self._session.request(
            method,
            URL(url, encoded=True),
            headers=headers,
            data=body or None,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(None, sock_connect=CONNECT_S, sock_read=read_s),
        ) as answer:
            return Answer(answer.status, answer.headers, await answer.read())
