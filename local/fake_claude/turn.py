"""One request being answered, as scripted, for as long as somebody is there to hear it."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

from starlette.types import Receive, Scope, Send

from local.fake_claude import sse
from local.fake_claude.record import Record
from local.fake_claude.script import Script
from local.fake_claude.state import State
from local.fake_claude.wire import Wire

Body = Mapping[str, Any]
Deliver = Callable[["Turn"], Awaitable[None]]


class Turn(ABC):
    """An ASGI application for one answer; ends as soon as nobody is left to hear it."""

    streaming = False

    def __init__(self, fake: State, record: Record, script: Script, deliver: Deliver) -> None:
        self.fake, self.record, self.script = fake, record, script
        self._deliver = deliver
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

    @abstractmethod
    def payload(self) -> dict[str, Any]:
        """The answer as one JSON document."""

    @abstractmethod
    def partial(self) -> dict[str, Any]:
        """As much of it as is made by now, as a document that does not say why it ended."""

    @abstractmethod
    def events(self, deltas: int | None = None) -> AsyncIterator[sse.Event]:
        """The answer piece by piece; `deltas` stops before its end, and after so many at most."""

    @abstractmethod
    def bill_in_full(self) -> None:
        """What was asked for is done and paid, however little of the answer arrives."""

    def param(self, name: str) -> Any:
        """A parameter of the behaviour; None where this behaviour has no such thing."""
        return self.script.params.get(name)

    async def start_stream(self) -> None:
        """Send the headers of a stream, once it is sure that there is an answer to follow."""
        await self.wire.start_stream()

    async def produce(self) -> None:
        """Make the whole answer without showing it, as for a caller who does not stream."""
        async for _ in self.events():
            pass

    async def write(self, event: sse.Event) -> None:
        await self.wire.write(event.encode(), last=event.name == "message_stop")

    async def _work(self) -> None:
        await asyncio.sleep(self.script.delay_ms / 1_000)
        if self.script.billed:
            self.bill_in_full()
        await self._deliver(self)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
