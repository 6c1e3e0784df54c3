"""The results of a batch, line by line."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from local.fake_claude import sse
from local.fake_claude.batch import Batch
from local.fake_claude.operation import Operation
from local.fake_claude.record import Record
from local.fake_claude.script import Script
from local.fake_claude.state import State

JSONL = {"content-type": "application/x-jsonl"}
AT_ONCE = 100
"""So many lines are sent together, unless it matters after which one something happens."""


@dataclass(frozen=True, slots=True)
class Lines(sse.Event):
    """Some lines of the results, in the place of a stream's events."""

    raw: bytes = b""

    def encode(self) -> bytes:
        return self.raw


class Results(Operation):
    """The lines as a stream; a behaviour's `after` counts them."""

    streaming = True

    def __init__(self, fake: State, record: Record, script: Script, batch: Batch) -> None:
        super().__init__(fake, record, script, dict)
        self._lines = batch.lines

    async def start_stream(self) -> None:
        await self.wire.start_stream(JSONL)

    async def events(self, deltas: int | None = None) -> AsyncIterator[sse.Event]:
        lines = self._lines[:deltas]
        step = AT_ONCE if self.param("after") is None else 1
        for at in range(0, len(lines), step):
            yield Lines("lines", None, costs=True, raw=b"".join(lines[at : at + step]))
        if deltas is None:
            yield Lines("message_stop", None)
