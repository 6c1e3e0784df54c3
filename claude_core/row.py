"""What a client's row in the clients table holds, and how its attributes are called.

    v                           of this layout: `stored_versions.py`; 1 where it is absent
    id, name, key_1, key_2      who: the id is the key's first eight characters; keys as SHA-256
    budget, rpm                 nano-dollars a month, requests a minute
    models, extras              what it may use: roles or ids; names of `extras.py`
    disabled, stopped           by `kit clients disable`; by `kit budget stop`, for all at once
    cache_prompts               mark its long prompts for Claude's cache
    open                        a map: the id of each open reservation, and its nano-dollars
    left_2026_11                of that month's budget, less all that is open
    spent_2026_11               settled in that month
    guessed_2026_11             of that, on speculative answers that were not used
    warned_2026_11              the last warning of that month, in percent
    minute_202611241806         requests left in that minute
    use.20261124.MODEL.cost     that day's use, and so `calls`, `input`, `output`, `cached`

Months, minutes and days are UTC.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from claude_core.models import Model
from claude_core.reservation import taken_at

Item = dict[str, Any]
USE = "use."
OF_A_MONTH = ("left_", "spent_", "guessed_", "warned_")
USED = ("cost", "calls", "input", "output", "cached")
MOST_GONE = 50
"""Attributes that one update drops: an expression has an end (4 KB)."""
KEPT_MINUTES = dt.timedelta(minutes=3)
"""A minute's attribute is dropped later than it ends: another process's clock may be behind."""


def month_of(when: dt.datetime) -> str:
    return f"{when:%Y_%m}"


def minute_of(when: dt.datetime) -> str:
    return f"minute_{when:%Y%m%d%H%M}"


def next_month(when: dt.datetime) -> dt.datetime:
    first = when.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (first + dt.timedelta(days=32)).replace(day=1)


def next_minute(when: dt.datetime) -> dt.datetime:
    return when.replace(second=0, microsecond=0) + dt.timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Row:
    """A client's row as DynamoDB answers with it; absent attributes are zero, or false."""

    item: Item

    @property
    def name(self) -> str:
        return str(self.item["name"]["S"])

    @property
    def id(self) -> str:
        return str(self.item["id"]["S"])

    @property
    def version(self) -> int:
        """Version of the row's layout; rows without the attribute have layout 1."""
        return self.number("v", 1)

    @property
    def budget(self) -> int:
        return self.number("budget")

    @property
    def rpm(self) -> int:
        return self.number("rpm")

    @property
    def models(self) -> list[str]:
        return self._strings("models")

    @property
    def extras(self) -> list[str]:
        return self._strings("extras")

    @property
    def open(self) -> dict[str, int]:
        """Nano-dollars of each open reservation, by its id."""
        found = self.item.get("open", {}).get("M", {})
        return {id: int(cost["N"]) for id, cost in found.items()}

    def flag(self, name: str) -> bool:
        return self.item.get(name, {}).get("BOOL") is True

    def number(self, name: str, otherwise: int = 0) -> int:
        found = self.item.get(name)
        return int(found["N"]) if found else otherwise

    def has_key(self, sha256: str) -> bool:
        return sha256 in (self.item.get(name, {}).get("S") for name in ("key_1", "key_2"))

    def may_use(self, model: Model) -> bool:
        """Whether it allows a model, by its id or its role."""
        return bool({model.id, model.role} & set(self.models))

    def left(self, month: str) -> int:
        """Nano-dollars of a month that nothing has taken."""
        return self.number(f"left_{month}", self.budget)

    def spent(self, month: str) -> int:
        """Nano-dollars that were settled in a month."""
        return self.number(f"spent_{month}")

    def guessed(self, month: str) -> int:
        """Nano-dollars of a month that speculative answers have cost which were not used."""
        return self.number(f"guessed_{month}")

    def reserved(self, month: str) -> int:
        """Nano-dollars of a month that are open."""
        return self.budget - self.left(month) - self.spent(month)

    def months_from(self, month: str) -> list[str]:
        """A month, and those after it that a faster clock has begun."""
        begun = {name.removeprefix("left_") for name in self.item if name.startswith("left_")}
        return sorted({month, *(one for one in begun if one > month)})

    def outdated(self, now: dt.datetime) -> tuple[str, ...]:
        """Minutes and months that nobody needs any more, and no open reservation goes back to."""
        last_month = month_of(now.replace(day=1) - dt.timedelta(days=1))
        minute = minute_of(now - KEPT_MINUTES)
        minutes = [one for one in self.item if one.startswith("minute_") and one < minute]
        months = [one for one in self.item if one.startswith(OF_A_MONTH) and one[-7:] < last_month]
        if months:
            going_back = {month_of(taken_at(id)) for id in self.open}
            months = [one for one in months if one[-7:] not in going_back]
        return (*minutes, *months)

    def use(self) -> dict[str, dict[str, dict[str, int]]]:
        """What was used on each day that the row still holds: day, model, `USED`."""
        days: dict[str, dict[str, dict[str, int]]] = {}
        for name in self.item:
            if name.startswith(USE):
                day, _, rest = name.removeprefix(USE).partition(".")
                model, _, what = rest.rpartition(".")
                days.setdefault(day, {}).setdefault(model, {})[what] = self.number(name)
        return days

    def _strings(self, name: str) -> list[str]:
        return sorted(self.item.get(name, {}).get("SS", []))
