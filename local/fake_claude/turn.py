"""One request being answered: what is said, how fast, at whose cost, and for how long."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from functools import cached_property
from typing import Any

from starlette.types import Receive, Scope, Send

from local.fake_claude import sse
from local.fake_claude.answer import Answer
from local.fake_claude.billing import Tab
from local.fake_claude.record import Record
from local.fake_claude.script import Script
from local.fake_claude.state import State
from local.fake_claude.wire import Wire

Body = Mapping[str, Any]
Deliver = Callable[["Turn"], Awaitable[None]]
Compose = Callable[[Body, Script], Answer]


class Turn:
    """An ASGI application for one answer; ends as soon as nobody is left to hear it."""

    def __init__(
        self,
        fake: State,
        record: Record,
        body: Body,
        script: Script,
        *,
        compose: Compose,
        deliver: Deliver,
    ) -> None:
        self.fake, self.record, self.body, self.script = fake, record, body, script
        self._stats, self._compose, self._deliver = fake.stats, compose, deliver
        self.streaming = body.get("stream", False)
        self._made = 0
        self.wire: Wire

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.wire = Wire(scope, send)
        gone = asyncio.create_task(_gone(receive))
        work = asyncio.create_task(self._work())
        try:
            await asyncio.wait((gone, work), return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                self.record.left()
            else:
                work.result()
                if self.wire.broken:
                    self.record.finish()
                    await gone  # uvicorn would answer 500 for us before it knows
        finally:
            for task in (gone, work):
                task.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await task

    @cached_property
    def answer(self) -> Answer:
        """The answer, made when it is first needed: a refusal costs nothing and caches nothing."""
        return self._compose(self.body, self.script)

    def payload(self) -> dict[str, Any]:
        """The answer as one JSON document."""
        return self.answer.to_json()

    def partial(self) -> dict[str, Any]:
        """As much of it as is made by now, as a document that does not say why it ended."""
        return self.answer.first(self._made, None).to_json()

    def param(self, name: str) -> Any:
        """A parameter of the behaviour; None where this behaviour has no such thing."""
        return self.script.params.get(name)

    async def events(self, deltas: int | None = None) -> AsyncIterator[sse.Event]:
        """The answer's events, at the script's pace, each token billed as it is made.

        Args:
            deltas: stop before the answer is complete, and after so many deltas at the latest.
        """
        shown = 0
        pace = _Pace(self.script)
        for event in sse.events(self.answer):
            if deltas is not None and (
                event.name == "message_delta" or (event.costs and shown >= deltas)
            ):
                return
            if event.costs:
                await pace.next_token()
                self._made += 1
                self._tab.up_to(self._made)
                self.record.output_tokens = self._tab.output_tokens
                shown += event.data is not None
            elif event.name == "message_delta":
                self.bill_in_full()
            yield event

    async def start_stream(self) -> None:
        """Send the headers of a stream, once it is sure that there is an answer to follow."""
        _ = self.answer
        await self.wire.start_stream()

    async def produce(self) -> None:
        """Make the whole answer without showing it, as for a caller who does not stream."""
        async for _ in self.events():
            pass

    async def write(self, event: sse.Event) -> None:
        await self.wire.write(event.encode(), last=event.name == "message_stop")

    def bill_in_full(self) -> None:
        self._tab.in_full()
        self.record.output_tokens = self._tab.output_tokens

    @cached_property
    def _tab(self) -> Tab:
        return Tab(self._stats.ledger, self.answer.model, self.answer.usage())

    async def _work(self) -> None:
        await asyncio.sleep(self.script.delay_ms / 1_000)
        if self.script.billed:
            self.bill_in_full()
        await self._deliver(self)


class _Pace:
    """When the next token is due, by the clock, so that small delays do not add up."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._clock = asyncio.get_running_loop().time
        self._due = self._clock() + script.first_token_ms / 1_000

    async def next_token(self) -> None:
        await asyncio.sleep(max(0.0, self._due - self._clock()))
        self._due += self._script.per_token_ms / 1_000


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
