"""The money of each client: reserved before it is spent, settled when it is known.

One conditional update proves the key and what it may use, and takes the call's worst cost from the
month and a request from the minute. What nobody settles stays charged: a crash must never hand back
money that Claude has taken. `row.py` names the attributes; `docs/budgets.md` has the promise.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from claude_core import history
from claude_core.admission import Wanted, refusal
from claude_core.alerts import Alerts
from claude_core.aws import FAILED, Aws, AwsRefused
from claude_core.chores import Chores
from claude_core.clients import ClientKey
from claude_core.errors import AwsUnreachable, OverBudget
from claude_core.limits import Limits
from claude_core.models import Model
from claude_core.reservation import Reservation, Spent, new_id
from claude_core.row import Item, Row


@dataclass(frozen=True, slots=True)
class Admitted:
    """A client that may go on: its row after the write, and its limits."""

    row: Row
    limits: Limits


@dataclass(frozen=True, slots=True)
class Reserved(Admitted):
    """A client that may spend, and the money that was taken for it."""

    held: Reservation


class Budget:
    """Reads and writes the clients table."""

    def __init__(
        self,
        aws: Aws,
        *,
        table: str,
        chores: Chores,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        self._aws, self._table, self._chores, self._now = aws, table, chores, now

    @classmethod
    def build(
        cls, aws: Aws, *, table: str, history_table: str, topic: str, trouble: Callable[[str], None]
    ) -> "Budget":
        """With its chores."""
        alerts = Alerts(aws, table=table, topic=topic)
        chores = Chores(aws, history_table=history_table, alerts=alerts, trouble=trouble)
        return cls(aws, table=table, chores=chores)

    async def prove(
        self, key: ClientKey, model: Model | None = None, needs: frozenset[str] = frozenset()
    ) -> Admitted:
        """Who calls, for routes that cost nothing: a request of the minute, and no money.

        Raises:
            NotAuthenticated, NotAllowed, InvalidRequest, Stopped, TooMany, AwsUnreachable.
        """
        wanted = Wanted(self._now(), key.sha256, model, needs)
        row = await self._admit(key.id, wanted)
        return Admitted(row, Limits.of(row, wanted.now))

    async def reserve(
        self,
        key: ClientKey | str,
        model: Model,
        cost: int,
        *,
        calls: int = 1,
        needs: frozenset[str] = frozenset(),
        id: str | None = None,
    ) -> Reserved:
        """Take `cost` nano-dollars and `calls` requests from what the client has left, or refuse.

        Args:
            key: to be proved, or the id of a client that was proved when its job came in.
            calls: of several jobs together; they are settled together, too.
            id: of `new_id`, noted before; who asks again with it has what it took the first time.

        Raises:
            OverBudget, and what `prove` raises: nothing was taken.
        """
        now = self._now()
        client, sha256 = (key, None) if isinstance(key, str) else (key.id, key.sha256)
        id = id or new_id(now)
        wanted = Wanted(now, sha256, model, needs, calls, id, cost)
        row = await self._admit(client, wanted)
        await self._chores.warn(row, wanted.month, now)
        # What stands in the row: a second attempt has what the first one took.
        held = Reservation(id, client, wanted.month, row.open[id], calls)
        return Reserved(row, Limits.of(row, now), held)

    async def settle(self, held: Reservation, spent: Spent, *, row: Row | None = None) -> None:
        """Charge what was spent and give back the rest; twice is the same as once.

        Args:
            row: as reserving left it, where that is known; what it needs no more is dropped.

        Raises:
            AwsUnreachable: the reservation stays open, and charged.
        """
        now = self._now()
        gone = [*await self._chores.move_days(row, now), *row.outdated(now)] if row else []
        gone = [name for name in gone if not name.endswith(held.month)]
        try:
            after = await self._update(held.client, _settlement(held, spent, gone, now))
        except AwsRefused as err:
            if err.code != FAILED:
                raise AwsUnreachable(f"the clients table refused: {err}") from err
        else:
            await self._chores.warn(after, held.month, now)

    async def _admit(self, client: str, wanted: Wanted) -> Row:
        try:
            return await self._update(client, wanted.expressions())
        except AwsRefused as err:
            if err.code != FAILED:
                raise AwsUnreachable(f"the clients table refused: {err}") from err
            row = Row(err.body.get("Item") or {})
            # There already: the first attempt arrived, and only its answer was lost.
            if wanted.id and wanted.id in row.open:
                return row
            failed = refusal(row, wanted)
            if isinstance(failed, OverBudget):
                await self._chores.warn(row, wanted.month, wanted.now, refused=True)
            raise failed from err

    async def _update(self, client: str, expressions: Item) -> Row:
        """One write of a client's row; the row after it, or, refused, with the error."""
        answer = await self._aws.call(
            "dynamodb",
            "DynamoDB_20120810.UpdateItem",
            {
                "TableName": self._table,
                "Key": {"id": {"S": client}},
                "ReturnValues": "ALL_NEW",
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                **expressions,
            },
        )
        return Row(answer["Attributes"])


def _settlement(held: Reservation, spent: Spent, gone: list[str], now: dt.datetime) -> Item:
    """The update that closes a reservation and drops the attributes that are `gone`."""
    names = {"#left": f"left_{held.month}", "#spent": f"spent_{held.month}"}
    names |= {"#open": "open", "#id": held.id}
    values: Item = {
        ":back": {"N": str(held.cost - spent.cost)},
        ":cost": {"N": str(spent.cost)},
        ":none": {"N": "0"},
    }
    removed, added = ["#open.#id"], []
    for at, name in enumerate(gone):
        names[f"#gone{at}"] = name
        removed.append(f"#gone{at}")
    used = history.counts(now, spent.model, spent.usage, spent.cost, held.calls)
    for at, (name, number) in enumerate(used.items() if spent.cost else ()):
        names[f"#use{at}"], values[f":use{at}"] = name, {"N": str(number)}
        added.append(f"#use{at} :use{at}")
    return {
        "UpdateExpression": (
            "SET #left = if_not_exists(#left, :none) + :back, "
            "#spent = if_not_exists(#spent, :none) + :cost "
            f"REMOVE {', '.join(removed)}" + (f" ADD {', '.join(added)}" if added else "")
        ),
        "ConditionExpression": "attribute_exists(#open.#id)",
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }
