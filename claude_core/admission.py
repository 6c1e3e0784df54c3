"""The write that admits a call: the conditions of a client's row, and which of them refused."""

import datetime as dt
from dataclasses import dataclass

from claude_core.errors import (
    AwsUnreachable,
    InvalidRequest,
    KitError,
    NotAllowed,
    NotAuthenticated,
    OverBudget,
    Stopped,
    TooMany,
)
from claude_core.extras import says
from claude_core.limits import Limits
from claude_core.models import NANO, Model
from claude_core.reservation import taken_at
from claude_core.row import Item, Row, minute_of, month_of, next_minute, next_month

OPEN_LIMIT = 1_000
"""Reservations that one client may hold open: they live in its row, which has an end."""
SETTLES_S = 5.0
"""When to come back for money that calls which are open now may give back."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of a row."""

    now: dt.datetime
    sha256: str | None
    """Of the key to be proved; None for a client that was proved before."""
    model: Model | None = None
    needs: frozenset[str] = frozenset()
    calls: int = 1
    id: str | None = None
    """Of the reservation; None for what is free and opens none."""
    cost: int = 0
    """Nano-dollars."""

    @property
    def month(self) -> str:
        """The month to be charged: a reservation's id says which."""
        return month_of(taken_at(self.id) if self.id else self.now)

    def expressions(self) -> Item:
        """The update that takes it all, or nothing, as parameters of UpdateItem."""
        names = {"#minute": minute_of(self.now)}
        values: Item = {
            ":no": {"BOOL": False},
            ":calls": {"N": str(self.calls)},
            ":now": {"N": str(int(self.now.timestamp()))},
        }
        conditions = ["disabled = :no", "attribute_not_exists(stopped)"]
        sets = ["#minute = if_not_exists(#minute, rpm) - :calls", "last_used = :now"]
        if self.sha256:
            conditions.insert(0, "(key_1 = :hash OR key_2 = :hash)")
            values[":hash"] = {"S": self.sha256}
        if self.model:
            allowed = ["contains(models, :model)"]
            values[":model"] = {"S": self.model.id}
            if self.model.role:
                allowed.append("contains(models, :role)")
                values[":role"] = {"S": self.model.role}
            conditions.append(f"({' OR '.join(allowed)})")
        for at, need in enumerate(sorted(self.needs)):
            values[f":need{at}"] = {"S": need}
            conditions.append(f"contains(extras, :need{at})")
        conditions.append(
            "((attribute_not_exists(#minute) AND rpm >= :calls) OR #minute >= :calls)"
        )
        if self.id:
            names |= {"#left": f"left_{self.month}", "#open": "open", "#id": self.id}
            values |= {":cost": {"N": str(self.cost)}, ":limit": {"N": str(OPEN_LIMIT)}}
            conditions += [
                "((attribute_not_exists(#left) AND budget >= :cost) OR #left >= :cost)",
                "size(#open) < :limit",
                "attribute_not_exists(#open.#id)",
            ]
            sets += ["#left = if_not_exists(#left, budget) - :cost", "#open.#id = :cost"]
        return {
            "UpdateExpression": f"SET {', '.join(sets)}",
            "ConditionExpression": " AND ".join(conditions),
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
        }


def refusal(row: Row, wanted: Wanted) -> KitError:
    """The first of the conditions that failed, in the order in which a caller can mend them."""
    if not row.item or (wanted.sha256 and not row.has_key(wanted.sha256)):
        return NotAuthenticated("x-api-key: no client has this key")
    failed = _failed(row, wanted)
    failed.limits, failed.client = Limits.of(row, wanted.now), row.id
    return failed


def forbidden(
    row: Row, model: Model | None = None, needs: frozenset[str] = frozenset()
) -> KitError | None:
    """What a client may never have, as its row stands, however long it waits."""
    if row.flag("disabled"):
        return NotAllowed("this client is disabled")
    if model and not row.may_use(model):
        return NotAllowed(f"model: this client may not use {model.id}")
    if missing := sorted(needs - set(row.extras)):
        return InvalidRequest(says(missing[0]))
    return None


def _failed(row: Row, wanted: Wanted) -> KitError:
    if row.flag("stopped") and not row.flag("disabled"):
        return Stopped("all calls are stopped by the operator, until: kit budget resume")
    if failed := forbidden(row, wanted.model, wanted.needs):
        return failed
    if row.number(minute_of(wanted.now), row.rpm) < wanted.calls:
        return _too_fast(row, wanted)
    if wanted.id:
        if row.left(wanted.month) < wanted.cost:
            return _over_budget(row, wanted)
        if len(row.open) >= OPEN_LIMIT:
            return TooMany(
                f"{row.name} has {OPEN_LIMIT} calls open; wait for some to end", retry_after_s=1
            )
    return AwsUnreachable("the client's row changed while it was read; try again")


def _too_fast(row: Row, wanted: Wanted) -> TooMany:
    reset = next_minute(wanted.now)
    many = f"{wanted.calls} requests" if wanted.calls > 1 else "this request"
    failed = TooMany(
        f"requests per minute of {row.name}: limit {row.rpm}, and {many} would be more; "
        f"resets at {reset:%H:%M:%S} UTC",
        # So many at once as never fit a minute need another plan, not a wait.
        retry_after_s=(reset - wanted.now).total_seconds() if wanted.calls <= row.rpm else None,
    )
    failed.retry_helps = wanted.calls <= row.rpm
    failed.budget = {
        "name": f"requests per minute of {row.name}",
        "limit": row.rpm,
        "spent": row.rpm - row.number(minute_of(wanted.now), row.rpm),
        "resets_at": f"{reset:%Y-%m-%dT%H:%M:%SZ}",
    }
    return failed


def _over_budget(row: Row, wanted: Wanted) -> OverBudget:
    cost, reset = wanted.cost, next_month(wanted.now)
    spent, reserved = row.spent(wanted.month), row.reserved(wanted.month)
    # What open calls do not use comes back: waiting helps only if that could be enough.
    helps = spent + cost <= row.budget
    failed = OverBudget(
        f"monthly budget of {row.name}: limit {usd(row.budget)}, spent {usd(spent)}, reserved for "
        f"open calls {usd(reserved)}, and this call may cost {usd(cost)}; "
        f"resets {reset:%Y-%m-%d} 00:00 UTC",
        retry_after_s=SETTLES_S if helps else None,
    )
    failed.retry_helps = helps
    failed.budget = {
        "name": f"monthly budget of {row.name}",
        "limit_usd": row.budget / NANO,
        "spent_usd": spent / NANO,
        "reserved_usd": reserved / NANO,
        "call_may_cost_usd": cost / NANO,
        "resets_at": f"{reset:%Y-%m-%dT%H:%M:%SZ}",
    }
    return failed


def usd(nano: int) -> str:
    """Money for people: cents, and four digits more below ten of them."""
    return f"${nano / NANO:,.2f}" if nano >= NANO // 10 or not nano else f"${nano / NANO:.6f}"
