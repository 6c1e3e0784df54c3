"""The only caller of Claude: a deadline in; an answer, or a typed error, out."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from functools import partial

import httpx2

from claude_core import errors
from claude_core.assembled import assembled
from claude_core.lazy import anthropic
from claude_core.messages import Request
from claude_core.raised import BROKEN, typed
from claude_core.reply import Reply
from claude_core.retry import RetryBudget
from claude_core.sdk_options import PLAIN, chunks, options
from claude_core.secret import Secret
from claude_core.sse import Event
from claude_core.stream import Streamed
from claude_core.tries import LATE, Tries

MESSAGES = "/v1/messages"


class Claude:
    """Claude as one process sees it: one client, one pool of connections, one retry budget."""

    def __init__(
        self, *, url: str, secret: Secret, http: httpx2.AsyncClient, retries: RetryBudget
    ) -> None:
        # The SDK's own retries sleep as long as a retry-after says and know no deadline.
        self._sdk = anthropic.AsyncAnthropic(
            api_key="set per call",  # pragma: allowlist secret
            base_url=url,
            http_client=http,
            max_retries=0,
        )
        self._secret, self._tries = secret, Tries(secret, retries)

    async def close(self) -> None:
        """Close its connections."""
        await self._sdk.close()

    async def ask(self, request: Request, *, deadline: float, retried: bool = True) -> Reply:
        """One answer; a request to stream is read to its end.

        Args:
            deadline: when to give up, on the event loop's clock.
            retried: tried again where `retry.py` says so.

        Raises:
            Unavailable: no usable key. UpstreamFailed: Claude's refusal, or what broke.
        """

        async def once(key: str) -> Reply:
            if request.body.get("stream"):
                first, streamed = await self._open(request, deadline, key)
                async with aclosing(streamed):
                    return await assembled(first, streamed)
            answer = await self._send(MESSAGES, request, key)
            headers = answer.headers
            return Reply.from_bytes(answer.content, headers.get("request-id"), headers)

        reply, attempts = await self._tries.within(deadline, once, retried=retried)
        return replace(reply, attempts=attempts)

    async def stream(
        self, request: Request, *, deadline: float, open_deadline: float, retried: bool = True
    ) -> tuple[Event, Streamed]:
        """An answer as it is written: its first event, and the rest, which must be closed.

        Before the first event it is tried again as `ask` is; after it something may have been
        shown, and every error is final. It must have begun by `open_deadline`, and be over by
        `deadline`. Raises as `ask` does.
        """
        open_once = partial(self._open, request, deadline)
        (first, streamed), attempts = await self._tries.within(
            open_deadline, open_once, retried=retried
        )
        streamed.attempts = attempts
        return first, streamed

    async def count_tokens(self, request: Request, *, deadline: float) -> bytes:
        """Claude's own count of a request's tokens, as it came; raises as `ask` does."""
        once = partial(self._send, f"{MESSAGES}/count_tokens", request)
        return (await self._tries.within(deadline, once))[0].content

    async def get(self, path: str, *, deadline: float) -> bytes:
        """What is there that is no message; raises as `ask` does."""

        async def once(key: str) -> httpx2.Response:
            with typed():
                return await self._sdk.get(path, cast_to=httpx2.Response, options=options(key))

        return (await self._tries.within(deadline, once))[0].content

    async def post(self, path: str, content: bytes, *, deadline: float) -> bytes:
        """The answer to what is no message, and may not be done twice: it is tried once. Raises as
        `ask` does."""

        async def once(key: str) -> httpx2.Response:
            with typed():
                return await self._sdk.post(
                    path, cast_to=httpx2.Response, content=content, options=options(key)
                )

        return (await self._tries.within(deadline, once, retried=False))[0].content

    async def read(self, path: str, *, deadline: float) -> AsyncGenerator[bytes]:
        """What is there, as it comes; close it (`aclosing`). Raises as `ask` does."""

        async def once(key: str) -> anthropic.AsyncStream[object]:
            with typed():
                return await self._sdk.get(
                    path,
                    cast_to=object,
                    options=options(key, PLAIN),
                    stream=True,
                    stream_cls=anthropic.AsyncStream[object],
                )

        opened, _ = await self._tries.within(deadline, once)
        try:
            coming = chunks(opened.response)
            while True:
                async with asyncio.timeout_at(deadline):
                    chunk = await anext(coming, None)
                if chunk is None:
                    return
                yield chunk
        except TimeoutError as err:
            raise errors.DeadlinePassed(LATE) from err
        finally:
            await opened.close()

    async def warm(self) -> None:
        """Read the key ahead of the first request; raises as `ask` does without one."""
        await self._secret.get()

    async def _open(self, request: Request, deadline: float, key: str) -> tuple[Event, Streamed]:
        with typed():
            answer = await self._sdk.post(
                MESSAGES,
                cast_to=object,
                content=request.wire,
                options=options(key, request.headers, PLAIN),
                stream=True,
                stream_cls=anthropic.AsyncStream[object],
            )
        streamed = Streamed(
            chunks(answer.response),
            answer.close,
            deadline=deadline,
            request_id=answer.response.headers.get("request-id"),
        )
        try:
            async for event in streamed:
                if event.type != "ping":
                    return event._replace(request_id=streamed.request_id), streamed
            raise errors.AnswerLost(BROKEN)
        except BaseException:
            await streamed.aclose()
            raise

    async def _send(self, path: str, request: Request, key: str) -> httpx2.Response:
        with typed():
            return await self._sdk.post(
                path,
                cast_to=httpx2.Response,
                content=request.wire,
                options=options(key, request.headers),
            )
