"""Reservations that are still open: calls on their way, batches, and what a crash left behind."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from claude_core.reservation import BATCH, taken_at
from claude_core.row import Row, month_of

LONGEST_CALL = dt.timedelta(minutes=20)
"""No call takes longer: a stream, or a job, has 15 minutes."""


@dataclass(frozen=True, slots=True)
class Open:
    """One reservation that nobody has settled."""

    id: str
    client: str
    name: str
    cost: int
    """Nano-dollars."""
    age: dt.timedelta

    @property
    def batch(self) -> bool:
        return BATCH in self.id

    @property
    def left_behind(self) -> bool:
        """No call can be behind it any more."""
        return not self.batch and self.age > LONGEST_CALL

    @property
    def state(self) -> str:
        if self.batch:
            return "a batch; its record settles it"
        return "left behind" if self.left_behind else "on its way"


def unsettled(rows: Iterable[Row], now: dt.datetime) -> Iterator[Open]:
    """All that is open, the oldest first."""
    found = [
        Open(id, row.id, row.name, cost, now - taken_at(id))
        for row in rows
        for id, cost in row.open.items()
    ]
    return iter(sorted(found, key=lambda one: one.age, reverse=True))


def release(dynamodb: Any, table: str, one: Open) -> bool:
    """Give the money back to its month; False if it was settled meanwhile."""
    try:
        dynamodb.update_item(
            TableName=table,
            Key={"id": {"S": one.client}},
            UpdateExpression="SET #left = if_not_exists(#left, :none) + :cost REMOVE #open.#id",
            ConditionExpression="#open.#id = :cost",
            ExpressionAttributeNames={
                "#left": f"left_{month_of(taken_at(one.id))}",
                "#open": "open",
                "#id": one.id,
            },
            ExpressionAttributeValues={":cost": {"N": str(one.cost)}, ":none": {"N": "0"}},
        )
    except dynamodb.exceptions.ConditionalCheckFailedException:
        return False
    return True
