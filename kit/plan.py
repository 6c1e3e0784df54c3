"""What a client may do: its budget, rate and models, as given on the command line."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from claude_core.alerts import reached
from claude_core.errors import NotFound
from claude_core.models import NANO, resolve
from claude_core.row import MOST_GONE, Row, month_of
from kit.say import Stop

MOST_USD, MOST_RPM = 1_000_000, 1_000_000


@dataclass(frozen=True, slots=True)
class Plan:
    """What a client may do; None leaves it as it is."""

    budget_usd: float | None = None
    rpm: int | None = None
    models: list[str] | None = None

    def checked(self) -> "Plan":
        """
        Raises:
            Stop: a number or a model is not possible.
        """
        if self.budget_usd is not None and not 0 < self.budget_usd <= MOST_USD:
            raise Stop(f"--budget {self.budget_usd:g}: must be above 0, {MOST_USD} at most", code=2)
        if self.rpm is not None and not 1 <= self.rpm <= MOST_RPM:
            raise Stop(f"--rpm {self.rpm}: must be 1 to {MOST_RPM}", code=2)
        if self.models is not None and not self.models:
            raise Stop("--models: name at least one, such as fast", code=2)
        for model in self.models or ():
            try:
                resolve(model)
            except NotFound as unknown:
                raise Stop(f"--models: {unknown.message}", code=2) from unknown
        return self

    @property
    def budget(self) -> int:
        return round((self.budget_usd or 0) * NANO)

    def changes(self, row: Row, now: dt.datetime) -> dict[str, Any]:
        """What UpdateItem changes of a client's row, the month and the minute that run included."""
        sets, gone, names, values = list[str](), list[str](), dict[str, str](), dict[str, Any]()
        if self.budget_usd is not None:
            sets.append("budget = :budget")
            values[":budget"] = {"N": str(self.budget)}
            values[":more"] = {"N": str(self.budget - row.budget)}
            values[":seen"] = {"N": str(row.budget)}
            for at, month in enumerate(row.months_from(month_of(now))):
                names |= {f"#left{at}": f"left_{month}", f"#warned{at}": f"warned_{month}"}
                sets.append(f"#left{at} = if_not_exists(#left{at}, :seen) + :more")
                # It is warned anew from where the new budget stands.
                sets.append(f"#warned{at} = :warned{at}")
                values[f":warned{at}"] = {"N": str(reached(row.spent(month), self.budget))}
        if self.rpm is not None:
            sets.append("rpm = :rpm")
            values[":rpm"] = {"N": str(self.rpm)}
            minutes = sorted(one for one in row.item if one.startswith("minute_"))[-MOST_GONE:]
            names |= {f"#gone{at}": minute for at, minute in enumerate(minutes)}
            gone = [f"#gone{at}" for at in range(len(minutes))]
        if self.models is not None:
            sets.append("models = :models")
            values[":models"] = {"SS": sorted(set(self.models))}
        return {
            "UpdateExpression": f"SET {', '.join(sets)}"
            + (f" REMOVE {', '.join(gone)}" if gone else ""),
            "ConditionExpression": "budget = :seen"
            if ":seen" in values
            else "attribute_exists(id)",
            "ExpressionAttributeValues": values,
            **({"ExpressionAttributeNames": names} if names else {}),
        }
