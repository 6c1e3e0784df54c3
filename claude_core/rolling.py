"""The write of a worker's money: what new calls may cost is taken, what ended calls have cost is
settled, both at once, for one client.

A worker has hundreds of calls open. A reservation for each would make the client's row long and its
writes many: one item takes a thousand write units a second. So all that a worker has open of one
client is one reservation, and each write replaces it by the next, under a new id: a write whose
answer was lost is known by it, and made once.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from claude_core import history
from claude_core.admission import OPEN_LIMIT
from claude_core.models import Model
from claude_core.reservation import Spent
from claude_core.row import Item, minute_of


@dataclass(frozen=True, slots=True)
class Want:
    """A call that may be made if its worst cost can be taken."""

    model: Model
    cost: int
    """Nano-dollars."""
    needs: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Roll:
    """One write: the reservation `old` gives way to `new`, which holds `open` nano-dollars."""

    now: dt.datetime
    month: str
    old: str | None
    new: str | None
    """None when nothing is open any more."""
    open: int
    wants: Sequence[Want] = ()
    given_back: int = 0
    """Taken for calls that have ended, or that never were."""
    spent: Sequence[Spent] = ()
    gone: Sequence[str] = ()
    """Attributes to be dropped."""

    @property
    def taken(self) -> int:
        return sum(want.cost for want in self.wants)

    def expressions(self) -> Item:
        """As parameters of UpdateItem: all of it, or nothing."""
        cost = sum(one.cost for one in self.spent)
        left = self.given_back - cost - self.taken
        names = {"#left": f"left_{self.month}", "#open": "open"}
        values: Item = {":left": {"N": str(left)}}
        sets = [f"#left = if_not_exists(#left, {'budget' if self.wants else ':none'}) + :left"]
        removed, added, conditions = [], list[str](), ["attribute_exists(id)"]
        if not self.wants:
            values[":none"] = {"N": "0"}
        if self.spent:
            names["#spent"] = f"spent_{self.month}"
            values |= {":cost": {"N": str(cost)}, ":zero": {"N": "0"}}
            sets.append("#spent = if_not_exists(#spent, :zero) + :cost")
        if self.old:
            names["#old"] = self.old
            conditions.append("attribute_exists(#open.#old)")
            removed.append("#open.#old")
        if self.new:
            names["#new"] = self.new
            values[":open"] = {"N": str(self.open)}
            conditions.append("attribute_not_exists(#open.#new)")
            sets.append("#open.#new = :open")
        for at, name in enumerate(self.gone):
            names[f"#gone{at}"] = name
            removed.append(f"#gone{at}")
        for at, (name, number) in enumerate(self._used().items()):
            names[f"#use{at}"], values[f":use{at}"] = name, {"N": str(number)}
            added.append(f"#use{at} :use{at}")
        if self.wants:
            self._admit(names, values, conditions, sets)
        return {
            "UpdateExpression": f"SET {', '.join(sets)}"
            + (f" REMOVE {', '.join(removed)}" if removed else "")
            + (f" ADD {', '.join(added)}" if added else ""),
            "ConditionExpression": " AND ".join(conditions),
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
        }

    def _used(self) -> dict[str, int]:
        used: dict[str, int] = {}
        for one in self.spent:
            if one.cost:
                for name, number in history.counts(
                    self.now, one.model, one.usage, one.cost, 1
                ).items():
                    used[name] = used.get(name, 0) + number
        return used

    def _admit(
        self, names: dict[str, str], values: Item, conditions: list[str], sets: list[str]
    ) -> None:
        """The conditions of new calls, those of `Wanted`, for several at once."""
        names["#minute"] = minute_of(self.now)
        values |= {
            ":no": {"BOOL": False},
            ":calls": {"N": str(len(self.wants))},
            ":now": {"N": str(int(self.now.timestamp()))},
            ":taken": {"N": str(self.taken)},
            ":limit": {"N": str(OPEN_LIMIT)},
        }
        sets += ["#minute = if_not_exists(#minute, rpm) - :calls", "last_used = :now"]
        conditions += [
            "disabled = :no",
            "attribute_not_exists(stopped)",
            "((attribute_not_exists(#minute) AND rpm >= :calls) OR #minute >= :calls)",
            "((attribute_not_exists(#left) AND budget >= :taken) OR #left >= :taken)",
            "size(#open) < :limit",
        ]
        for at, model in enumerate({want.model.id: want.model for want in self.wants}.values()):
            values[f":model{at}"] = {"S": model.id}
            allowed = [f"contains(models, :model{at})"]
            if model.role:
                values[f":role{at}"] = {"S": model.role}
                allowed.append(f"contains(models, :role{at})")
            conditions.append(f"({' OR '.join(allowed)})")
        for at, need in enumerate(sorted(frozenset().union(*(want.needs for want in self.wants)))):
            values[f":need{at}"] = {"S": need}
            conditions.append(f"contains(extras, :need{at})")
