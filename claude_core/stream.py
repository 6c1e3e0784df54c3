"""Claude's answer as it comes: passed on as bytes, read for what it costs and how it ends."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from claude_core.errors import AnswerLost, DeadlinePassed, KitError
from claude_core.sse import UNREADABLE, Event, events, type_of
from claude_core.upstream import of_claude
from claude_core.usage import Usage
from claude_core.wire import Json

PAST_THE_END_S = 0.1
"""How long the end of the connection's answer is waited for, so that it can be used again."""
CUT = "Claude's answer was cut off before its end; try again"
LATE = "the answer took longer than this route has; ask for less"
NOT_SHOWN = ("thinking", "redacted_thinking")


class Streamed:
    """One answer that is being written; iterate to its end, and close it whatever happens.

    Ends after `message_stop`. Anything else that ends it is an error: a partial answer is never
    taken for a whole one.
    """

    def __init__(
        self,
        chunks: AsyncIterator[bytes],
        close: Callable[[], Awaitable[None]],
        *,
        deadline: float,
        request_id: str | None = None,
    ) -> None:
        self._chunks, self._close = chunks, close
        self._events, self._ended = events(chunks), False
        self._timer = asyncio.get_running_loop().call_at(deadline, self._expire)
        self._waiting: asyncio.Task[Any] | None = None
        self._late = False
        self.request_id, self.attempts = request_id, 1
        self.message: Json = {}
        """The message as its first event has it, without content."""
        self.stop_reason: str | None = None
        self._usage: Json = {}
        self._written, self._hidden = 0, False

    @property
    def ended(self) -> bool:
        """Whether the answer is whole."""
        return self._ended

    @property
    def usage(self) -> Usage:
        """What Claude has counted so far; the output only at the end."""
        return Usage.from_json(self._usage)

    @property
    def usage_json(self) -> Json:
        """The same as Claude wrote it, first and last word together."""
        return self._usage

    def used_at_most(self, max_tokens: int) -> Usage:
        """What an answer that stopped half-way can have used: a token has at least one byte."""
        written = max_tokens if self._hidden else min(max_tokens, self._written)
        counted = self._usage.get("output_tokens") or 0
        return Usage.from_json({**self._usage, "output_tokens": max(counted, written)})

    def __aiter__(self) -> "Streamed":
        return self

    async def __anext__(self) -> Event:
        """The next event.

        Raises:
            UpstreamFailed, Unavailable: Claude's own error inside the stream, by its type.
            AnswerLost: unreadable, or over before its end; DeadlinePassed.
        """
        if self._ended:
            raise StopAsyncIteration
        try:
            event = await self._next()
            self._note(event)
        except StopAsyncIteration as err:
            raise self._named(AnswerLost(CUT)) from err
        except KitError as err:
            self._named(err)
            raise
        except (AttributeError, TypeError, ValueError) as err:
            raise self._named(AnswerLost(UNREADABLE)) from err
        return event

    async def aclose(self) -> None:
        """Give the connection back, or, if the answer is not whole, end it."""
        self._timer.cancel()
        try:
            if self._ended:
                async with asyncio.timeout(PAST_THE_END_S):
                    async for _ in self._chunks:
                        pass
        except (TimeoutError, AnswerLost):
            pass
        finally:
            await self._close()

    async def _next(self) -> Event:
        """The next event within the deadline: one timer for the whole stream does for every event
        what `asyncio.timeout_at` does, whose own would cost a tenth of a token."""
        if self._late:
            raise DeadlinePassed(LATE)
        self._waiting = task = asyncio.current_task()
        cancelling = task.cancelling() if task else 0
        try:
            return await anext(self._events)
        except asyncio.CancelledError:
            if self._late and task and task.uncancel() <= cancelling:
                raise DeadlinePassed(LATE) from None
            raise
        finally:
            self._waiting = None

    def _expire(self) -> None:
        self._late = True
        if self._waiting:
            self._waiting.cancel()

    def _named(self, err: KitError) -> KitError:
        err.request_id, err.upstream_status, err.attempts = self.request_id, 200, self.attempts
        return err

    def _note(self, event: Event) -> None:
        data = event.data
        match event.type:
            case "content_block_delta":
                self._written += _size(data.get("delta"))
            case "content_block_start":
                block = data.get("content_block")
                self._hidden |= type_of(block) in NOT_SHOWN
                self._written += _size(block)
            case "message_start":
                self.message = data.get("message") or {}
                self._usage |= self.message.get("usage") or {}
            case "message_delta":
                self.stop_reason = (data.get("delta") or {}).get("stop_reason")
                self._usage |= {k: v for k, v in (data.get("usage") or {}).items() if v is not None}
            case "message_stop":
                if not self.stop_reason:
                    raise AnswerLost(CUT)
                self._ended = True
            case "error":
                said = data.get("error") or {}
                # An error inside a stream has status 200: its type alone says what it is.
                raise of_claude(str(said.get("message")), type=said.get("type"), status=200)


def _size(delta: Any) -> int:
    """Bytes that a delta adds to what can be seen of the answer."""
    if not isinstance(delta, dict):
        return 0
    return sum(
        len(part.encode())
        for name, part in delta.items()
        if name != "type" and isinstance(part, str)
    )
