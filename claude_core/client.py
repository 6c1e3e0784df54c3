"""The only caller of Claude: a deadline in; an answer, or a typed error, out."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import httpx2

from claude_core import errors
from claude_core.assembled import assembled
from claude_core.lazy import anthropic
from claude_core.messages import NO_HEADERS, Request
from claude_core.raised import BROKEN, typed
from claude_core.reply import Reply
from claude_core.retry import RetryBudget
from claude_core.secret import Secret
from claude_core.sse import Event
from claude_core.stream import Streamed

T = TypeVar("T")

CONNECT_TIMEOUT_S = 5.0
MESSAGES = "/v1/messages"
LATE = "Claude did not answer in the time that this route has; ask for less, or stream"


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
        self._secret, self._retries = secret, retries

    async def ask(self, request: Request, *, deadline: float) -> Reply:
        """One answer; a request to stream is read to its end.

        Args:
            deadline: when to give up, on the event loop's clock.

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

        reply, attempts = await self._within(deadline, once)
        return replace(reply, attempts=attempts)

    async def stream(
        self, request: Request, *, deadline: float, open_deadline: float
    ) -> tuple[Event, Streamed]:
        """An answer as it is written: its first event, and the rest, which must be closed.

        Before the first event it is tried again as `ask` is; after it something may have been
        shown, and every error is final. It must have begun by `open_deadline`, and be over by
        `deadline`. Raises as `ask` does.
        """
        open_once = partial(self._open, request, deadline)
        (first, streamed), attempts = await self._within(open_deadline, open_once)
        streamed.attempts = attempts
        return first, streamed

    async def count_tokens(self, request: Request, *, deadline: float) -> bytes:
        """Claude's own count of a request's tokens, as it came; raises as `ask` does."""
        once = partial(self._send, f"{MESSAGES}/count_tokens", request)
        return (await self._within(deadline, once))[0].content

    async def warm(self) -> None:
        """Read the key ahead of the first request; raises as `ask` does without one."""
        await self._secret.get()

    async def _within(self, deadline: float, once: Callable[[str], Awaitable[T]]) -> tuple[T, int]:
        """What `once` gives with the key, and how often it was tried."""
        tried: list[None] = []
        try:
            async with asyncio.timeout_at(deadline):
                return await self._attempts(deadline, once, tried), len(tried)
        except TimeoutError as err:
            failed = errors.DeadlinePassed(LATE)
            failed.attempts = len(tried)
            raise failed from err
        except errors.KitError as err:
            err.attempts = len(tried)
            raise

    async def _attempts(
        self, deadline: float, once: Callable[[str], Awaitable[T]], tried: list[None]
    ) -> T:
        self._retries.earn()
        key, attempt, renewed = await self._secret.get(), 0, False
        while True:
            attempt += 1
            tried.append(None)
            try:
                return await once(key)
            except errors.KeyRejected:
                if renewed:
                    raise
                fresh = await self._secret.refresh(rejected=key)
                if fresh == key:
                    raise
                key, attempt, renewed = fresh, 0, True
            except errors.UpstreamFailed as err:
                left = deadline - asyncio.get_running_loop().time()
                wait = self._retries.delay(err, attempt, left)
                if wait is None:
                    raise
                await asyncio.sleep(wait)

    async def _open(self, request: Request, deadline: float, key: str) -> tuple[Event, Streamed]:
        with typed():
            answer = await self._sdk.post(
                MESSAGES,
                cast_to=object,
                content=request.wire,
                options=_options(request, key, {"accept-encoding": "identity"}),
                stream=True,
                stream_cls=anthropic.AsyncStream[object],
            )
        streamed = Streamed(
            _chunks(answer.response),
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
                options=_options(request, key),
            )


def _options(request: Request, key: str, more: Mapping[str, str] = NO_HEADERS) -> Any:
    # The header that the SDK itself sends a key in; one of ours beside it would not replace it.
    key_header = {"Authorization": f"Bearer {key}", "content-type": "application/json"}
    # The caller's deadline is the only one: the SDK's own timeout is per read.
    timeout = httpx2.Timeout(None, connect=CONNECT_TIMEOUT_S)
    return {"headers": {**key_header, **request.headers, **more}, "timeout": timeout}


async def _chunks(response: httpx2.Response) -> AsyncIterator[bytes]:
    with typed():
        async for chunk in response.aiter_raw():
            yield chunk
