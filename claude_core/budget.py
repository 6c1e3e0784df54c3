"""The money of each client: reserved before it is spent, settled when it is known.

One conditional update proves the key, the model and the month, and takes the call's worst cost.
What nobody settles stays charged: a crash must never hand back money that Claude has taken.
"""

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from claude_core.aws import Aws, AwsRefused
from claude_core.clients import ClientKey
from claude_core.errors import AwsUnreachable, KitError, NotAllowed, NotAuthenticated, OverBudget
from claude_core.models import NANO, Model

OPEN_LIMIT = 1_000
"""Reservations that one client may hold open: they live in its row, which has an end."""

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reservation:
    """Money taken from one client for one call."""

    id: str
    client: str
    month: str
    """The attribute that it was taken from, and is given back to."""
    cost: int
    cache_prompts: bool = False
    """The client's own wish: mark its long prompts for Claude's cache."""


class Budget:
    """Reads and writes the clients table."""

    def __init__(
        self,
        aws: Aws,
        table: str,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        self._aws, self._table, self._now = aws, table, now

    async def prove(self, key: ClientKey, model: Model | None = None) -> Item:
        """Who calls, for routes that cost nothing; the client's row.

        Raises:
            NotAuthenticated, NotAllowed, AwsUnreachable.
        """
        proof = Proof(key, model, self._now())
        more = {"UpdateExpression": "SET last_used = :now", "ReturnValues": "ALL_NEW"}
        try:
            answer = await self._update(key.id, proof.conditions, proof, **more)
        except AwsRefused as err:
            raise _refusal(err, proof) from err
        return dict(answer["Attributes"])

    async def reserve(self, key: ClientKey, model: Model, cost: int) -> Reservation:
        """Take `cost` nano-dollars from what the client has left this month, or refuse.

        Raises:
            NotAuthenticated, NotAllowed, OverBudget, AwsUnreachable.
        """
        now = self._now()
        held = Reservation(uuid.uuid4().hex, key.id, f"spend_{now:%Y_%m}", cost)
        proof = Proof(key, model, now)
        proof.names |= {"#month": held.month, "#open": "open", "#id": held.id}
        proof.values |= {
            ":cost": {"N": str(cost)},
            ":limit": {"N": str(OPEN_LIMIT)},
            ":note": {"M": {"cost": {"N": str(cost)}, "at": proof.values[":now"]}},
        }
        conditions = [
            *proof.conditions,
            "((attribute_not_exists(#month) AND budget >= :cost) OR #month >= :cost)",
            "size(#open) < :limit",
            "attribute_not_exists(#open.#id)",
        ]
        update = (
            "SET #month = if_not_exists(#month, budget) - :cost, #open.#id = :note, "
            "last_used = :now"
        )
        try:
            answer = await self._update(
                key.id, conditions, proof, UpdateExpression=update, ReturnValues="ALL_NEW"
            )
            row = answer["Attributes"]
        except AwsRefused as err:
            row = err.body.get("Item") or {}
            # There already: the first attempt arrived, and only its answer was lost.
            if held.id not in row.get("open", {}).get("M", {}):
                raise _refusal(err, proof, held, now) from err
        return replace(held, cache_prompts=row.get("cache_prompts", {}).get("BOOL") is True)

    async def settle(self, held: Reservation, cost: int) -> None:
        """Close a reservation and give back what the call did not use; twice is the same as once.

        Raises:
            AwsUnreachable: the reservation stays open, and charged.
        """
        names = {"#month": held.month, "#open": "open", "#id": held.id}
        back = {":back": {"N": str(held.cost - cost)}}
        try:
            await self._aws.call(
                "dynamodb",
                "DynamoDB_20120810.UpdateItem",
                {
                    "TableName": self._table,
                    "Key": {"id": {"S": held.client}},
                    "ConditionExpression": "attribute_exists(#open.#id)",
                    "UpdateExpression": "SET #month = #month + :back REMOVE #open.#id",
                    "ExpressionAttributeNames": names,
                    "ExpressionAttributeValues": back,
                },
            )
        except AwsRefused as err:
            if err.code != "ConditionalCheckFailedException":
                raise AwsUnreachable(f"the clients table refused: {err}") from err

    async def _update(
        self, client: str, conditions: list[str], proof: "Proof", **more: object
    ) -> Item:
        names = {"ExpressionAttributeNames": proof.names} if proof.names else {}
        return await self._aws.call(
            "dynamodb",
            "DynamoDB_20120810.UpdateItem",
            {
                "TableName": self._table,
                "Key": {"id": {"S": client}},
                "ConditionExpression": " AND ".join(conditions),
                "ExpressionAttributeValues": proof.values,
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                **names,
                **more,
            },
        )


class Proof:
    """The part of the condition that says who may call, and with which model."""

    def __init__(self, key: ClientKey, model: Model | None, now: dt.datetime) -> None:
        self.hash, self.model = key.sha256, model
        self.conditions = ["(key_1 = :hash OR key_2 = :hash)", "disabled = :no"]
        self.values: Item = {
            ":hash": {"S": key.sha256},
            ":no": {"BOOL": False},
            ":now": {"N": str(int(now.timestamp()))},
        }
        self.names: dict[str, str] = {}
        if model:
            allowed = ["contains(models, :model)"]
            self.values[":model"] = {"S": model.id}
            if model.role:
                allowed.append("contains(models, :role)")
                self.values[":role"] = {"S": model.role}
            self.conditions.append(f"({' OR '.join(allowed)})")


def may_use(row: Item, model: Model) -> bool:
    """Whether a client's row allows a model, by its id or its role."""
    return bool({model.id, model.role} & set(row.get("models", {}).get("SS", [])))


def _refusal(
    err: AwsRefused, proof: Proof, held: Reservation | None = None, now: dt.datetime | None = None
) -> KitError:
    """Which of the conditions failed, told from the row that DynamoDB sends along."""
    if err.code != "ConditionalCheckFailedException":
        return AwsUnreachable(f"the clients table refused: {err}")
    row = err.body.get("Item") or {}
    if proof.hash not in (row.get("key_1", {}).get("S"), row.get("key_2", {}).get("S")):
        return NotAuthenticated("x-api-key: no client has this key")
    if row.get("disabled", {}).get("BOOL") is not False:
        return NotAllowed("this client is disabled")
    if proof.model and not may_use(row, proof.model):
        return NotAllowed(f"model: this client may not use {proof.model.id}")
    if held and now:
        return _over_budget(row, held, now)
    return AwsUnreachable("the client's row changed while it was read; try again", retry_after_s=1)


def _over_budget(row: Item, held: Reservation, now: dt.datetime) -> OverBudget:
    if len(row.get("open", {}).get("M", {})) >= OPEN_LIMIT:
        return OverBudget(f"this client has {OPEN_LIMIT} calls open; wait for some to end")
    limit = int(row["budget"]["N"])
    left = int((row.get(held.month) or row["budget"])["N"])
    reset = (now.replace(day=1) + dt.timedelta(days=32)).replace(day=1)
    return OverBudget(
        f"monthly budget: this call may cost ${held.cost / NANO:.4f}, ${left / NANO:.4f} of "
        f"${limit / NANO:.2f} is left; it resets on {reset:%Y-%m-%d} at 00:00 UTC"
    )
