"""What was used, by client, day and model: out of the history, and the rows that it comes from."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from claude_core.models import NANO
from kit.deployment import Deployment
from kit.rows import Clients

Models = dict[str, dict[str, int]]


@dataclass(frozen=True, slots=True, order=True)
class Used:
    """One client's day with one model."""

    day: str
    """YYYY-MM-DD, UTC."""
    client: str
    model: str
    calls: int
    input: int
    """Tokens read, from the cache or not."""
    cached: int
    """Of those, read from the cache."""
    output: int
    cost: int
    """Nano-dollars."""

    @property
    def usd(self) -> float:
        return self.cost / NANO


def used(deployment: Deployment, *, since: dt.date, client: str | None = None) -> list[Used]:
    """Everything from a day on, in order.

    Raises:
        Stop: there is no such client.
    """
    clients = Clients(deployment)
    rows = (clients.find(client),) if client else clients.all()
    first = f"{since:%Y%m%d}"
    found: dict[tuple[str, str], tuple[str, Models]] = {}
    for item in _kept(deployment, first, rows[0].id if client else None):
        models = {
            model: {what: int(number["N"]) for what, number in used["M"].items()}
            for model, used in item["models"]["M"].items()
        }
        found[item["client"]["S"], item["day"]["S"]] = item["name"]["S"], models
    for row in rows:
        for day, models in row.use().items():
            # A day that is being moved stands in both places, and is the same in both.
            found[row.id, day] = row.name, models
    return sorted(
        _one(name, day, model, numbers)
        for (_, day), (name, models) in found.items()
        for model, numbers in models.items()
        if day >= first
    )


def _kept(deployment: Deployment, first: str, client: str | None) -> Iterator[dict[str, Any]]:
    dynamodb = deployment.client("dynamodb")
    asked: dict[str, Any] = {
        "TableName": deployment.outputs("SharedStack")["HistoryTableName"],
        "ExpressionAttributeNames": {"#day": "day"},
        "ExpressionAttributeValues": {":first": {"S": first}},
    }
    if client:
        asked["ExpressionAttributeNames"]["#client"] = "client"
        asked["ExpressionAttributeValues"][":client"] = {"S": client}
        asked["KeyConditionExpression"] = "#client = :client AND #day >= :first"
    else:
        asked["FilterExpression"] = "#day >= :first"
    for page in dynamodb.get_paginator("query" if client else "scan").paginate(**asked):
        yield from page["Items"]


def _one(name: str, day: str, model: str, numbers: dict[str, int]) -> Used:
    return Used(
        day=f"{day[:4]}-{day[4:6]}-{day[6:]}",
        client=name,
        model=model,
        calls=numbers.get("calls", 0),
        input=numbers.get("input", 0),
        cached=numbers.get("cached", 0),
        output=numbers.get("output", 0),
        cost=numbers.get("cost", 0),
    )
