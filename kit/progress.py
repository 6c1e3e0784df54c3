"""How a submission goes: a bar where somebody looks, a line now and then elsewhere."""

import asyncio
import time
from collections.abc import Callable
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from kit.board import REFUSED, Board
from kit.say import usd

WIDTH, BESIDE = 48, 42
"""Of the longest bar, and of what stands beside one, in characters."""
EVERY_S = 15.0
"""A line where nobody looks, if there is something new to say."""
KNOWN = 2
"""Jobs that must have ended before anything is said about the rest."""
PARTS = {
    "done": ("green", ("done",)),
    "failed": ("red", ("failed", "dead", "cancelled", REFUSED)),
    "running": ("cyan", ("running", "batched")),
    "queued": ("bright_black", ("queued",)),
}


def parts(board: Board) -> dict[str, int]:
    """How many documents are done, failed, running, queued."""
    return {
        name: sum(board.states[state] for state in states) for name, (_, states) in PARTS.items()
    }


def line(board: Board, *, left_s: float | None = None) -> str:
    """All of it in a line."""
    said = [f"{count:,} {name}" for name, count in parts(board).items() if count]
    said.append(usd(board.cost_usd))
    return ", ".join([*said, *([f"about {span(left_s)} left"] if left_s is not None else [])])


def span(seconds: float) -> str:
    """A time that passes, in the unit that matters."""
    whole = max(1, round(seconds))
    if whole < 90:
        return f"{whole} s"
    if whole < 5_400:
        return f"{round(whole / 60)} min"
    hours, minutes = divmod(round(whole / 60), 60)
    return f"{hours} h {minutes} min"


class Screen:
    """One submission's; a context manager, which leaves the screen as it was."""

    def __init__(self, console: Console, board: Board, waits_s: Callable[[], float]) -> None:
        """
        Args:
            waits_s: for how much longer the API wants to be left alone.
        """
        self._console, self._board, self._waits_s = console, board, waits_s
        self._began: float | None = None
        self._over_before = 0
        self._spinner = Spinner("dots", style="cyan")
        self._said, self._said_at = "", time.monotonic()
        self._live = Live(
            console=console, get_renderable=self._draw, transient=True, auto_refresh=False
        )

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def wait(self) -> None:
        """Everything is sent; from now on it is waited for."""
        self._began, self._over_before = time.monotonic(), self._board.over

    async def run(self) -> None:
        """Show how it stands, until cancelled."""
        while True:
            self._tick()
            await asyncio.sleep(1 / 8)

    def _tick(self) -> None:
        if self._console.is_terminal:
            self._live.refresh()
            return
        if time.monotonic() < self._said_at + EVERY_S:
            return
        said = self._sent() if self._began is None else line(self._board, left_s=self._left_s())
        if said != self._said:
            self._console.print(said, markup=False)
            self._said, self._said_at = said, time.monotonic()

    def _draw(self) -> RenderableType:
        board = self._board
        head, width = Table.grid(padding=(0, 1)), min(WIDTH, self._console.width - BESIDE)
        if self._began is None:
            head.add_row(self._spinner, _bar(board, width, sent=True), self._sent())
            return head
        left = self._left_s()
        told = [f"{board.over:,} of {board.things:,}", usd(board.cost_usd)]
        told += [f"about {span(left)} left"] if left is not None else []
        head.add_row(self._spinner, _bar(board, width), "  ".join(told))
        counts = Text("  ")
        for name, count in parts(board).items():
            counts.append(f"{name} ", style="dim").append(f"{count:,}   ", PARTS[name][0])
        return Group(head, counts)

    def _sent(self) -> str:
        board = self._board
        said = f"{len(board.entries):,} of {board.total:,} submitted"
        waits_s = self._waits_s()
        return said + (f", goes on in {span(waits_s)}" if waits_s >= 1 else "")

    def _left_s(self) -> float | None:
        """Until all is over, if it goes on as it has gone so far."""
        ended = self._board.over - self._over_before
        if self._began is None or ended < KNOWN or not self._board.open:
            return None
        rest = len(self._board.open)
        return rest * (time.monotonic() - self._began) / ended


def _bar(board: Board, width: int, *, sent: bool = False) -> Text:
    """A part for each state, as long as it is of the whole."""
    bar, drawn, so_far = Text(), 0, 0
    shares = {PARTS[name][0]: count for name, count in parts(board).items() if name != "queued"}
    whole = board.total if sent else board.things
    for color, count in ({"green": len(board.entries)} if sent else shares).items():
        so_far += count
        # One of a thousand shows, too.
        ends = min(width, max(round(so_far / whole * width), drawn + bool(count)))
        bar.append("━" * (ends - drawn), style=color)
        drawn = ends
    return bar.append("━" * (width - drawn), style="bright_black")
