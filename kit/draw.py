"""Bars for the terminal: a line a day, as long as it cost, in a colour for each part."""

import datetime as dt

from rich.console import Group
from rich.table import Table
from rich.text import Text

from claude_core.models import NANO

COLORS = ("cyan", "magenta", "yellow", "green", "blue", "red", "bright_black")
WIDTH = 48
"""Of the longest bar, in characters."""


def digits(cost: int) -> int:
    """After the point, so that a few calls show and a month's bill can be read."""
    return 2 if cost >= 100 * NANO else 4 if cost >= NANO else 6


def days(title: str, costs: dict[str, dict[str, int]]) -> Group:
    """Bars of nano-dollars by day and part; the days between that cost nothing are there, too."""
    sums: dict[str, int] = {}
    for parts in costs.values():
        for part, cost in parts.items():
            sums[part] = sums.get(part, 0) + cost
    ordered = sorted(sums, key=lambda part: -sums[part])
    shown = dict(zip(ordered, COLORS, strict=False))
    most = max(sum(parts.values()) for parts in costs.values()) or 1
    exact = digits(most)
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 1, 0, 0))
    table.add_column(style="dim")
    table.add_column()
    table.add_column(justify="right")
    for day in _all(min(costs), max(costs)):
        parts = costs.get(day, {})
        together = sum(parts.values())
        table.add_row(day, _bar(parts, ordered, shown, most), f"{together / NANO:,.{exact}f}")
    return Group(Text(title, style="bold"), table, _legend(shown, sums, exact), "")


def _bar(parts: dict[str, int], ordered: list[str], shown: dict[str, str], most: int) -> Text:
    bar, drawn, so_far = Text(), 0, 0
    for part in ordered:
        so_far += parts.get(part, 0)
        # Rounded from the sum, so that many small parts do not make a bar longer than it is.
        ends = max(round(so_far / most * WIDTH), 1 if so_far else 0)
        bar.append("█" * (ends - drawn), style=shown.get(part, COLORS[-1]))
        drawn = ends
    return bar


def _legend(shown: dict[str, str], sums: dict[str, int], exact: int) -> Text:
    legend = Text()
    for part in sorted(sums, key=lambda part: -sums[part]):
        legend.append("█ ", style=shown.get(part, COLORS[-1]))
        legend.append(f"{part} {sums[part] / NANO:,.{exact}f}   ")
    return legend


def _all(first: str, last: str) -> list[str]:
    start, end = dt.date.fromisoformat(first), dt.date.fromisoformat(last)
    return [f"{start + dt.timedelta(days=at)}" for at in range((end - start).days + 1)]
