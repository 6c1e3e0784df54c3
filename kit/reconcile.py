"""What the kit has counted beside what Claude's console says: an exported cost report, read."""

import csv
import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from claude_core.models import MODELS, NANO
from kit.say import Stop

# As the console writes them: usage_date_utc, model, workspace, api_key, …, token_type, cost_usd, …
DAY, MODEL, COST, KEY, WORKSPACE = "usage_date_utc", "model", "cost_usd", "api_key", "workspace"
IDS = {model.display_name: model.id for model in MODELS}


@dataclass(frozen=True, slots=True)
class Report:
    """The console's costs by day and model, in nano-dollars."""

    costs: dict[tuple[str, str], int]
    others: dict[str, int]
    """What is left out: costs of other keys or workspaces, by their name."""

    @property
    def days(self) -> tuple[str, str]:
        """The first and the last."""
        days = sorted(day for day, _ in self.costs)
        return days[0], days[-1]


def read(path: Path, *, api_key: str | None = None, workspace: str | None = None) -> Report:
    """Read an exported report, of one key or workspace if that is given.

    Raises:
        Stop: there is no such file, or it is no cost report, or nothing is left of it.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = csv.DictReader(file)
            names = lines.fieldnames or []
            if missing := [name for name in (DAY, MODEL, COST) if name not in names]:
                raise Stop(
                    f"{path} is no cost report: it has no column {missing[0]}; in the Claude "
                    "console: Cost, Export",
                    code=2,
                )
            rows = list(lines)
    except (OSError, UnicodeDecodeError) as err:
        raise Stop(f"{path} cannot be read: {err}", code=2) from err
    costs: defaultdict[tuple[str, str], int] = defaultdict(int)
    others: defaultdict[str, int] = defaultdict(int)
    for at, row in enumerate(rows, 2):
        where = f"{path}, line {at}"
        cost, day = _nano(row[COST], where), _day(row[DAY], where)
        if api_key not in (None, row.get(KEY)) or workspace not in (None, row.get(WORKSPACE)):
            others[str(row.get(KEY) or row.get(WORKSPACE))] += cost
            continue
        costs[day, IDS.get(row[MODEL] or "", row[MODEL] or "other")] += cost
    if not costs:
        keys = ", ".join(sorted(others)) or "nothing at all"
        raise Stop(f"{path} has nothing of that key or workspace; it has {keys}")
    return Report(dict(costs), dict(others))


def _nano(cost: str | None, where: str) -> int:
    try:
        return round(float(cost or "") * NANO)
    except (ValueError, OverflowError) as err:
        raise Stop(f"{where}: {COST} is {cost!r}, which is no amount", code=2) from err


def _day(day: str | None, where: str) -> str:
    try:
        return dt.date.fromisoformat((day or "")[:10]).isoformat()
    except ValueError as err:
        raise Stop(
            f"{where}: {DAY} is {day!r}, which is no day such as 2026-11-24", code=2
        ) from err
