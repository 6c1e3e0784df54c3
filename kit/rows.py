"""Clients as the table holds them: added, changed, disabled, given a new key, erased."""

import datetime as dt
import difflib
from dataclasses import dataclass
from typing import Any

from claude_core.clients import ClientKey, new_key
from claude_core.errors import NotFound
from claude_core.models import NANO, resolve
from claude_core.row import Row, month_of
from kit.deployment import Deployment
from kit.say import Stop
from kit.whole import Ledger, Whole, Write

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


class Clients:
    """The clients of one deployment."""

    def __init__(self, deployment: Deployment) -> None:
        self._outputs = deployment.outputs("SharedStack")
        self._table = self._outputs["ClientsTableName"]
        self._dynamodb = deployment.client("dynamodb")
        self.ledger = Ledger(self._dynamodb, self._table)

    def add(self, name: str, plan: Plan, *, cache_prompts: bool = False) -> str:
        """Make a client; its key, which is stored nowhere.

        Raises:
            Stop: the name is taken, the plan is not possible, or the budget is not there.
        """
        if not name.strip():
            raise Stop("NAME: must have a letter in it", code=2)
        plan, key = plan.checked(), new_key()
        proof = ClientKey.parse(key)
        item = {
            "id": {"S": proof.id},
            "name": {"S": name},
            "key_1": {"S": proof.sha256},
            "budget": {"N": str(plan.budget)},
            "rpm": {"N": str(plan.rpm)},
            "models": {"SS": sorted(set(plan.models or ()))},
            "disabled": {"BOOL": False},
            "cache_prompts": {"BOOL": cache_prompts},
            "open": {"M": {}},
            "created_at": {"S": dt.datetime.now(dt.UTC).isoformat(timespec="seconds")},
        }

        def put(whole: Whole) -> list[Write]:
            if any(row.name == name for row in whole.rows):
                raise Stop(f"there is a client {name!r} already; see: kit clients list")
            whole.check_cap(plan.budget)
            stopped = {"stopped": {"BOOL": True}} if whole.stopped else {}
            new = {"TableName": self._table, "Item": item | stopped}
            return [{"Put": {**new, "ConditionExpression": "attribute_not_exists(id)"}}]

        self.ledger.change(put)
        return key

    def set(self, name: str, plan: Plan) -> None:
        """Change what a client may do; a new budget counts for the month that runs, too.

        Raises:
            Stop: as `add`.
        """
        plan = plan.checked()

        def update(whole: Whole) -> list[Write]:
            row, sets, values = self._of(whole, name), [], dict[str, Any]()
            left = f"left_{month_of(dt.datetime.now(dt.UTC))}"
            if plan.budget_usd is not None:
                whole.check_cap(plan.budget - row.budget)
                sets += ["budget = :budget", "#left = if_not_exists(#left, budget) + :more"]
                values[":budget"] = {"N": str(plan.budget)}
                values[":more"] = {"N": str(plan.budget - row.budget)}
                values[":seen"] = {"N": str(row.budget)}
            if plan.rpm is not None:
                sets.append("rpm = :rpm")
                values[":rpm"] = {"N": str(plan.rpm)}
            if plan.models is not None:
                sets.append("models = :models")
                values[":models"] = {"SS": sorted(set(plan.models))}
            written = {
                "TableName": self._table,
                "Key": {"id": {"S": row.id}},
                "UpdateExpression": f"SET {', '.join(sets)}",
                "ConditionExpression": "budget = :seen"
                if ":seen" in values
                else "attribute_exists(id)",
                "ExpressionAttributeValues": values,
            }
            if plan.budget_usd is not None:
                written["ExpressionAttributeNames"] = {"#left": left}
            return [{"Update": written}]

        if plan == Plan():
            raise Stop("nothing to change; give --budget, --rpm or --models", code=2)
        self.ledger.change(update)

    def all(self) -> tuple[Row, ...]:
        """Every client, by name."""
        return self.ledger.read().rows

    def find(self, name: str) -> Row:
        """A client by its name or id.

        Raises:
            Stop: there is none; names the closest.
        """
        return self._of(self.ledger.read(), name)

    def set_disabled(self, name: str, disabled: bool) -> None:
        self._update(name, "SET disabled = :value", {":value": {"BOOL": disabled}})

    def set_cache_prompts(self, name: str, cache: bool) -> None:
        self._update(name, "SET cache_prompts = :value", {":value": {"BOOL": cache}})

    def set_extra(self, name: str, extra: str, allowed: bool) -> None:
        verb = "ADD" if allowed else "DELETE"
        self._update(name, f"{verb} extras :extra", {":extra": {"SS": [extra]}})

    def rotate(self, name: str) -> str:
        """A new key beside the newest one, which goes on working; an older one ends."""
        row = self.find(name)
        key = new_key(row.id)
        values = {":new": {"S": ClientKey.parse(key).sha256}, ":old": row.item["key_1"]}
        # Two people who rotate at once: the second is refused, and no key is lost unseen.
        self._update(name, "SET key_1 = :new, key_2 = :old", values, "key_1 = :old")
        return key

    def drop_old_key(self, name: str) -> None:
        self._update(name, "REMOVE key_2", {})

    def _update(
        self,
        name: str,
        expression: str,
        values: dict[str, Any],
        condition: str = "attribute_exists(id)",
    ) -> None:
        self._dynamodb.update_item(
            TableName=self._table,
            Key={"id": {"S": self.find(name).id}},
            UpdateExpression=expression,
            ConditionExpression=condition,
            **({"ExpressionAttributeValues": values} if values else {}),
        )

    @staticmethod
    def _of(whole: Whole, name: str) -> Row:
        for row in whole.rows:
            if name in (row.name, row.id):
                return row
        close = difflib.get_close_matches(name, [row.name for row in whole.rows])
        hint = f"did you mean {close[0]!r}?" if close else "see: kit clients list"
        raise Stop(f"there is no client {name!r}; {hint}")
