"""One client of a budget on the strict double, and a clock that stands still until it is set."""

import asyncio
import datetime as dt
from collections.abc import Coroutine
from typing import Any, TypeVar, cast

from claude_core.admitted import Reserved
from claude_core.aws import Aws
from claude_core.budget import Budget
from claude_core.clients import ClientKey, new_key
from claude_core.models import resolve
from claude_core.reservation import Reservation, Spent
from claude_core.row import Item, Row
from claude_core.usage import Usage
from tests.cloud.cloud import Cloud
from tests.cloud.keys import Keys

FAST, DEEP = resolve("fast"), resolve("deep")
NOVEMBER = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
MONTH = "2026_11"
T = TypeVar("T")


class Purse:
    """A client with so much money and so many requests a minute."""

    def __init__(self, *, budget: int = 1_000, rpm: int = 10_000, **more: Any) -> None:
        self.cloud, self.now = Cloud(), NOVEMBER
        self.clients = self.cloud.dynamo.add("clients", Keys("id"))
        self.history = self.cloud.dynamo.add("history", Keys("client", "day"))
        self.trouble: list[str] = []
        self.key = ClientKey.parse(new_key())
        row: Item = {
            "id": {"S": self.key.id},
            "name": {"S": "shop"},
            "key_1": {"S": self.key.sha256},
            "budget": {"N": str(budget)},
            "rpm": {"N": str(rpm)},
            "models": {"SS": ["fast"]},
            "disabled": {"BOOL": False},
            "open": {"M": {}},
        }
        self.clients.add(row | more)
        self.budget = Budget.build(
            cast(Aws, self.cloud),
            table="clients",
            history_table="history",
            topic="topic",
            trouble=self.trouble.append,
        )
        self.budget._now = lambda: self.now

    @property
    def row(self) -> Row:
        return Row(self.clients.items[self.key.id])

    def change(self, **attributes: Any) -> None:
        """Write into the client's row, past everything that guards it."""
        self.clients.change(self.key.id, **attributes)

    def run(self, doing: Coroutine[Any, Any, T]) -> T:
        return asyncio.run(doing)

    def admit(self, cost: int, **more: Any) -> Reserved:
        """Reserve; `key` and `model` are the client's own unless they are given."""
        key, model = more.pop("key", self.key), more.pop("model", FAST)
        return self.run(self.budget.reserve(key, model, cost, **more))

    def reserve(self, cost: int, **more: Any) -> Reservation:
        return self.admit(cost, **more).held

    def settle(self, held: Reservation, cost: int, usage: Usage | None = None) -> None:
        """With the row as it is now, so that what is over is dropped."""
        spent = Spent(FAST, cost, usage or Usage())
        self.run(self.budget.settle(held, spent, row=self.row))
