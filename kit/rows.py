"""Clients as the table holds them: added, listed, disabled, given a new key."""

import datetime as dt
import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from claude_core.clients import ClientKey, new_key
from claude_core.errors import NotFound
from claude_core.models import NANO, resolve
from kit.deployment import Deployment
from kit.say import Stop

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Client:
    """One client, as people want to see it. Money in USD."""

    name: str
    id: str
    budget_usd: float
    left_usd: float
    models: list[str]
    open: int
    keys: int
    disabled: bool
    cache_prompts: bool
    last_used: str | None

    @classmethod
    def from_row(cls, row: Row, month: str) -> "Client":
        left = row[month] if month in row else row["budget"]
        used = row.get("last_used")
        return cls(
            name=row["name"]["S"],
            id=row["id"]["S"],
            budget_usd=int(row["budget"]["N"]) / NANO,
            left_usd=int(left["N"]) / NANO,
            models=sorted(row["models"]["SS"]),
            open=len(row["open"]["M"]),
            keys=sum(name in row for name in ("key_1", "key_2")),
            disabled=row["disabled"]["BOOL"],
            cache_prompts=row.get("cache_prompts", {}).get("BOOL") is True,
            last_used=_time(int(used["N"])) if used else None,
        )


class Clients:
    """The clients table of one deployment."""

    def __init__(self, deployment: Deployment) -> None:
        self._table = deployment.outputs("SharedStack")["ClientsTableName"]
        self._dynamodb = deployment.client("dynamodb")

    def add(
        self, name: str, *, budget_usd: float, models: list[str], cache_prompts: bool = False
    ) -> str:
        """Make a client; its key, which is stored nowhere.

        Raises:
            Stop: the name is taken, or a model or the budget is not possible.
        """
        if not name.strip():
            raise Stop("NAME: must have a letter in it", code=2)
        if not 0 < budget_usd <= 1_000_000:
            raise Stop(f"--budget {budget_usd:g}: must be above 0, and 1000000 at most", code=2)
        if not models:
            raise Stop("--models: name at least one, such as fast", code=2)
        for model in models:
            try:
                resolve(model)
            except NotFound as unknown:
                raise Stop(f"--models: {unknown.message}", code=2) from unknown
        if any(row["name"]["S"] == name for row in self._rows()):
            raise Stop(f"there is a client {name!r} already; see: kit clients list")
        key = new_key()
        proof = ClientKey.parse(key)
        row: Row = {
            "id": {"S": proof.id},
            "name": {"S": name},
            "key_1": {"S": proof.sha256},
            "budget": {"N": str(round(budget_usd * NANO))},
            "models": {"SS": sorted(set(models))},
            "disabled": {"BOOL": False},
            "cache_prompts": {"BOOL": cache_prompts},
            "open": {"M": {}},
            "created_at": {"S": dt.datetime.now(dt.UTC).isoformat(timespec="seconds")},
        }
        self._dynamodb.put_item(
            TableName=self._table, Item=row, ConditionExpression="attribute_not_exists(id)"
        )
        return key

    def all(self) -> list[Client]:
        month = f"spend_{dt.datetime.now(dt.UTC):%Y_%m}"
        found = [Client.from_row(row, month) for row in self._rows()]
        return sorted(found, key=lambda client: client.name)

    def set_disabled(self, name: str, disabled: bool) -> None:
        self._update(name, "SET disabled = :value", {":value": {"BOOL": disabled}})

    def set_cache_prompts(self, name: str, cache: bool) -> None:
        self._update(name, "SET cache_prompts = :value", {":value": {"BOOL": cache}})

    def rotate(self, name: str) -> str:
        """A new key beside the newest one, which goes on working; an older one ends."""
        row = self._find(name)
        key = new_key(row["id"]["S"])
        values = {":new": {"S": ClientKey.parse(key).sha256}, ":old": row["key_1"]}
        # Two people who rotate at once: the second is refused, and no key is lost unseen.
        self._update(name, "SET key_1 = :new, key_2 = :old", values, "key_1 = :old")
        return key

    def drop_old_key(self, name: str) -> None:
        self._update(name, "REMOVE key_2", {})

    def _update(
        self, name: str, expression: str, values: Row, condition: str = "attribute_exists(id)"
    ) -> None:
        self._dynamodb.update_item(
            TableName=self._table,
            Key={"id": self._find(name)["id"]},
            UpdateExpression=expression,
            ConditionExpression=condition,
            **({"ExpressionAttributeValues": values} if values else {}),
        )

    def _find(self, name: str) -> Row:
        rows = list(self._rows())
        for row in rows:
            if name in (row["name"]["S"], row["id"]["S"]):
                return row
        close = difflib.get_close_matches(name, [row["name"]["S"] for row in rows])
        hint = f"did you mean {close[0]!r}?" if close else "see: kit clients list"
        raise Stop(f"there is no client {name!r}; {hint}")

    def _rows(self) -> Iterator[Row]:
        for page in self._dynamodb.get_paginator("scan").paginate(TableName=self._table):
            yield from page["Items"]


def _time(seconds: int) -> str:
    return f"{dt.datetime.fromtimestamp(seconds, dt.UTC):%Y-%m-%d %H:%M}"
