"""One answer that is being written: read by a socket, and, if it was asked to, outliving it."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from claude_core.errors import KitError, Replaced
from claude_core.sse import Event
from claude_core.wire import Json
from service_src.conversations import Conversation, Turn
from service_src.frames import Message, Mode


class Why(Enum):
    """What ends an answer early."""

    CANCELLED = "its reader said so"
    LEFT = "its reader is gone"
    DRAINED = "its task is going"


@dataclass(frozen=True, slots=True)
class End:
    """How an answer ended: by `done`, or by an error."""

    facts: Json | None = None
    error: KitError | None = None

    def frames(self, mode: Mode, id: str, seq: int) -> list[str]:
        if self.error:
            return mode.error(id, self.error)
        return mode.done(id, seq, self.facts or {})


class Reader(Protocol):
    """Who an answer is written for: a socket."""

    mode: Mode

    async def send(self, frames: list[str]) -> None:
        """Send, or note that nobody is there any more; raises nothing."""

    def answered(self) -> None:
        """The answer has ended, and its last frame is sent."""


Open = Callable[["Answer"], Awaitable[AsyncGenerator[Event]]]
DRAINED = "the server is being replaced; what was written is kept, ask again for the rest"


class Answer:
    """Runs as a task of its own, from `start` to its end."""

    def __init__(self, message: Message, conversation: Conversation, reader: Reader | None) -> None:
        self.message, self.conversation = message, conversation
        self.reader = reader
        self.texts: list[str] = []
        self.facts: Json = {}
        """What `done` will say, once the answer is whole."""
        self.end: End | None = None
        self._why: Why | None = None
        self._task: asyncio.Task[None] | None = None
        self._leaving: asyncio.TimerHandle | None = None

    @property
    def id(self) -> str:
        return self.message.id

    @property
    def running(self) -> bool:
        """Until its last frame is sent and its turn is kept."""
        return self._task is not None and not self._task.done()

    def start(
        self, open: Open, failed: Callable[[Exception], KitError], over: Callable[["Answer"], None]
    ) -> None:
        """Write it.

        Args:
            open: asks Claude; its events, money settled before the last.
            failed: told of what ends it early; the error to show.
            over: told when it has ended.
        """
        self._task = asyncio.create_task(self._run(open, failed))
        self._task.add_done_callback(lambda _: over(self))

    def stop(self, why: Why) -> None:
        """End it early: the connection to Claude is closed, and what was written is kept."""
        if self._task and not self.end and self._why is None:
            self._why = why
            self._task.cancel()

    def lost(self, resume_s: float) -> None:
        """Its reader is gone."""
        self.reader = None
        if not self.message.resume:
            self.stop(Why.LEFT)
        elif not self.end:
            loop = asyncio.get_running_loop()
            self._leaving = loop.call_later(resume_s, self.stop, Why.LEFT)

    async def attach(self, reader: Reader, after: int) -> None:
        """Give a reader what came after a delta, and all that will come."""
        if self._leaving:
            self._leaving.cancel()
        if self.reader and self.reader is not reader:
            self.reader.answered()  # whoever read before reads no more, and may ask anew
        self.reader = None
        seq = after
        while seq < len(self.texts):
            seq += 1
            await reader.send(reader.mode.delta(self.id, seq, self.texts[seq - 1]))
        if self.end:
            await reader.send(self.end.frames(reader.mode, self.id, seq))
            reader.answered()
        else:
            self.reader = reader

    async def _run(self, open: Open, failed: Callable[[Exception], KitError]) -> None:
        try:
            await self._write(await open(self))
            self.end = End(facts=self.facts)
        except asyncio.CancelledError:
            if self._why is None:
                raise  # the process ends
            self.end = self._early(self._why)
        except Exception as err:
            self.end = End(error=failed(err))
        await self._keep(failed)
        if reader := self.reader:
            await reader.send(self.end.frames(reader.mode, self.id, len(self.texts)))
            reader.answered()

    async def _write(self, events: AsyncGenerator[Event]) -> None:
        async with aclosing(events):
            async for event in events:
                if event.type != "content_block_delta":
                    continue
                text = event.data["delta"].get("text")
                if not text:
                    continue
                self.texts.append(text)
                if reader := self.reader:
                    await reader.send(reader.mode.delta(self.id, len(self.texts), text))

    def _early(self, why: Why) -> End:
        if why is Why.DRAINED:
            return End(error=Replaced(DRAINED))
        return End(facts={"stop_reason": "cancelled", "incomplete": True})

    async def _keep(self, failed: Callable[[Exception], KitError]) -> None:
        """Remember the turn, also half of one; not being able to ends no answer."""
        whole = bool(self.end and self.end.facts and not self.end.facts.get("incomplete"))
        turn = Turn(
            self.id,
            self.message.content,
            "".join(self.texts),
            len(self.texts),
            self.facts if whole else None,
            incomplete=not whole,
        )
        if self.texts:
            try:
                await self.conversation.add(turn)
            except Exception as err:
                failed(err)


def facts_of(model: str, usage: dict[str, Any], stop_reason: str | None, cost_usd: float) -> Json:
    """What `done` says of a whole answer."""
    return {"usage": usage, "cost_usd": cost_usd, "stop_reason": stop_reason, "model": model}
