"""Anything but a message, delivered like one, so that it can go wrong in the same ways."""

from collections.abc import AsyncIterator, Callable, Mapping
from functools import cached_property
from typing import Any

from local.fake_claude import sse
from local.fake_claude.behaviours import BEHAVIOURS
from local.fake_claude.record import Record
from local.fake_claude.script import Script
from local.fake_claude.state import State
from local.fake_claude.turn import Turn

Headers = Callable[[], Mapping[str, str]]


class Operation(Turn):
    """Something done once, when its answer is made; `billed` does it although no answer comes."""

    def __init__(
        self,
        fake: State,
        record: Record,
        script: Script,
        act: Callable[[], dict[str, Any]],
        *,
        headers: Headers = dict,
    ) -> None:
        super().__init__(fake, record, script, BEHAVIOURS[script.name].deliver)
        self._act, self._headers = act, headers

    @cached_property
    def _done(self) -> dict[str, Any]:
        return self._act()

    def payload(self) -> dict[str, Any]:
        self.wire.extra = self._headers()
        return self._done

    def partial(self) -> dict[str, Any]:
        return self.payload()

    async def events(self, deltas: int | None = None) -> AsyncIterator[sse.Event]:
        return
        yield

    def bill_in_full(self) -> None:
        _ = self._done
