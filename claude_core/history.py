"""What each client used, by day and model: counted in its row, kept in a table of its own.

A day is counted in the row by the settlement itself, so it costs no request and is as exact as the
budget. Once it is over for good it is moved, by whichever call comes next.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from claude_core.aws import Aws
from claude_core.models import Model
from claude_core.row import USE, Row
from claude_core.usage import Usage

KEPT = dt.timedelta(days=400)
"""A year of months that can be compared with the year before; then DynamoDB's TTL removes it."""


@dataclass(frozen=True, slots=True)
class Day:
    """One day of one client that is over: nothing is added to it any more."""

    client: str
    name: str
    day: str
    """YYYYMMDD, UTC."""
    models: dict[str, dict[str, int]]
    """`row.USED` by model."""

    @property
    def attributes(self) -> list[str]:
        """Where the client's row has it."""
        return [
            f"{USE}{self.day}.{model}.{what}"
            for model, used in self.models.items()
            for what in used
        ]

    def to_item(self) -> dict[str, Any]:
        ends = dt.datetime.strptime(self.day, "%Y%m%d").replace(tzinfo=dt.UTC) + KEPT
        models = {
            model: {"M": {what: {"N": str(number)} for what, number in used.items()}}
            for model, used in self.models.items()
        }
        return {
            "client": {"S": self.client},
            "day": {"S": self.day},
            "name": {"S": self.name},
            "models": {"M": models},
            "expires_at": {"N": str(int(ends.timestamp()))},
        }


def counts(day: dt.datetime, model: Model, usage: Usage, cost: int, calls: int) -> dict[str, int]:
    """What a settlement adds to the row's attributes of a day."""
    used = (cost, calls, usage.prompt_tokens, usage.output_tokens, usage.cache_read_tokens)
    named = zip(("cost", "calls", "input", "output", "cached"), used, strict=True)
    return {f"{USE}{day:%Y%m%d}.{model.id}.{what}": number for what, number in named if number}


def ended(row: Row, now: dt.datetime) -> tuple[Day, ...]:
    """The days of a row that are over, for the slowest clock too: those before yesterday."""
    yesterday = f"{now - dt.timedelta(days=1):%Y%m%d}"
    return tuple(
        Day(row.id, row.name, day, models)
        for day, models in sorted(row.use().items())
        if day < yesterday
    )


async def keep(aws: Aws, table: str, day: Day) -> None:
    """Write a day that is over; as often as one likes.

    Raises:
        AwsRefused, AwsUnreachable.
    """
    await aws.call(
        "dynamodb", "DynamoDB_20120810.PutItem", {"TableName": table, "Item": day.to_item()}
    )
