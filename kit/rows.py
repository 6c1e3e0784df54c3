"""Clients as the table holds them: added, changed, disabled, given a new key, erased."""

import datetime as dt
import difflib
from typing import Any

from claude_core.clients import ClientKey, new_key
from claude_core.row import Row
from claude_core.stored_versions import VERSIONS
from kit.deployment import Deployment
from kit.plan import Plan
from kit.say import Stop
from kit.whole import Ledger, Whole, Write


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
            "v": {"N": str(VERSIONS["client"])},
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
            row = self._of(whole, name)
            if plan.budget_usd is not None:
                whole.check_cap(plan.budget - row.budget)
            key = {"TableName": self._table, "Key": {"id": {"S": row.id}}}
            return [{"Update": key | plan.changes(row, dt.datetime.now(dt.UTC))}]

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
