"""An event loop whose time passes only when nothing is left to do: hours in a moment."""

import asyncio
import selectors
from typing import Any


class _Selector(selectors.SelectSelector):
    """Never waits: the time that it is told to wait has passed."""

    passed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("everything waits, and for nothing that time would bring")
        if timeout > 0:
            self.passed += timeout
        return []  # nothing here comes from a socket


class VirtualLoop(asyncio.SelectorEventLoop):
    """`clock` gives the epoch's seconds of `loop.time()`."""

    def __init__(self, start: float = 1_795_000_000.0) -> None:
        self._virtual = _Selector()
        self._start = start
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.passed

    def clock(self) -> float:
        return self._start + self._virtual.passed

    def stand_still(self, seconds: float) -> None:
        """Let time pass in which nothing here runs."""
        self._virtual.passed += seconds

    def run(self, doing: Any) -> Any:
        """Run to the end, and with it all that it leaves behind."""
        try:
            return self.run_until_complete(doing)
        finally:
            for task in asyncio.all_tasks(self):
                task.cancel()
            self.run_until_complete(asyncio.sleep(0))
