"""The money of each client: reserved before it is spent, settled when it is known.

One conditional update proves the key and what it may use, and takes the call's worst cost from the
month and a request from the minute. What nobody settles stays charged: a crash must never hand back
money that Claude has taken. `row.py` names the attributes; `docs/budgets.md` has the promise.
"""

import asyncio
import datetime as dt
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from claude_core.admission import Wanted, refusal
from claude_core.admitted import Admitted, Reserved
from claude_core.alerts import Alerts
from claude_core.aws import FAILED, Aws, AwsRefused
from claude_core.chores import Chores
from claude_core.clients import ClientKey
from claude_core.errors import AwsUnreachable, KitError, OverBudget
from claude_core.limits import Limits
from claude_core.models import Model
from claude_core.reached import reached
from claude_core.reservation import Reservation, Spent, new_id
from claude_core.row import MOST_GONE, Item, Row
from claude_core.settlement import given_back, settlement


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
        self._undoing: set[asyncio.Task[None]] = set()

    @classmethod
    def build(
        cls, aws: Aws, *, table: str, history_table: str, topic: str, trouble: Callable[[str], None]
    ) -> "Budget":
        """With its chores."""
        alerts = Alerts(aws, table=table, topic=topic)
        chores = Chores(
            aws, table=table, history_table=history_table, alerts=alerts, trouble=trouble
        )
        return cls(aws, table=table, chores=chores)

    async def prove(
        self, key: ClientKey | str, model: Model | None = None, needs: frozenset[str] = frozenset()
    ) -> Admitted:
        """Who calls, for routes that cost nothing: a request of the minute, and no money.

        Raises:
            NotAuthenticated, NotAllowed, InvalidRequest, Stopped, TooMany, AwsUnreachable.
        """
        client, sha256 = (key, None) if isinstance(key, str) else (key.id, key.sha256)
        wanted = Wanted(self._now(), sha256, model, needs)
        row = await self._admit(client, wanted)
        await self._chores.tidy(row, wanted.now)
        return Admitted(row, Limits.of(row, wanted.now))

    async def look(self, client: str) -> Row | None:
        """A client's row, unchanged: for work that somebody proved to be its own by other means.

        Raises:
            AwsUnreachable.
        """
        asked = {"TableName": self._table, "Key": {"id": {"S": client}}, "ConsistentRead": True}
        with reached("the clients table"):
            found = await self._aws.call("dynamodb", "DynamoDB_20120810.GetItem", asked)
        return Row(found["Item"]) if found.get("Item") else None

    async def reserve(
        self,
        key: ClientKey | str,
        model: Model,
        cost: int,
        *,
        calls: int = 1,
        needs: frozenset[str] = frozenset(),
        id: str | None = None,
        counted: bool = False,
    ) -> Reserved:
        """Take `cost` nano-dollars and `calls` requests from what the client has left, or refuse.

        Args:
            key: to be proved, or the id of a client that was proved when its job came in.
            calls: of several jobs together; they are settled together, too.
            counted: the minute has counted them before.
            id: of `new_id`, noted before; who asks again with it has what it took the first time.

        Raises:
            OverBudget, and what `prove` raises: nothing was taken.
        """
        client, sha256 = (key, None) if isinstance(key, str) else (key.id, key.sha256)
        id = id or new_id(self._now())
        minute = 0 if counted else calls
        wanted = Wanted(self._now(), sha256, model, needs, minute, id, cost)
        admitting = asyncio.create_task(self._admit(client, wanted))
        try:
            row = await asyncio.shield(admitting)
        except asyncio.CancelledError:
            self._later(self._undo(admitting, wanted, client))
            raise
        # What stands in the row: a second attempt has what the first one took.
        held = Reservation(id, client, wanted.month, row.open[id], calls)
        return Reserved(row, Limits.of(row, wanted.now), held)

    async def _undo(self, admitting: "asyncio.Task[Row]", wanted: Wanted, client: str) -> None:
        """Give back what was taken for a caller that left while it was: Claude was never asked."""
        with suppress(KitError):
            row = await admitting
            if wanted.id and wanted.model:
                taken = Reservation(wanted.id, client, wanted.month, row.open[wanted.id])
                await self.settle(taken, Spent(wanted.model, 0))

    def _later(self, doing: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(doing)
        self._undoing.add(task)
        task.add_done_callback(self._undoing.discard)

    async def settle(self, held: Reservation, spent: Spent, *, row: Row | None = None) -> None:
        """Charge what was spent and give back the rest; twice is the same as once.

        Args:
            row: as reserving left it, where that is known; minutes and months that are over are
                dropped with it.

        Raises:
            AwsUnreachable: the reservation stays open, and charged.
        """
        now = self._now()
        gone = [name for name in row.outdated(now) if not name.endswith(held.month)] if row else []
        try:
            after = await self.write(held.client, settlement(held, spent, gone[:MOST_GONE], now))
        except AwsRefused as err:
            if err.code != FAILED:
                raise AwsUnreachable(f"the clients table refused: {err}") from err
        else:
            await self._chores.after(after, held.month, now)

    async def give_back(self, client: str, id: str) -> None:
        """Give back whatever a reservation has taken, of which nothing was spent; as often as one
        likes, and for one that was never made.

        Raises:
            AwsUnreachable: it may be open still.
        """
        try:
            await self.write(client, given_back(id))
        except AwsRefused as err:
            if err.code != FAILED:
                raise AwsUnreachable(f"the clients table refused: {err}") from err

    async def _admit(self, client: str, wanted: Wanted) -> Row:
        try:
            return await self.write(client, wanted.expressions())
        except AwsRefused as err:
            if err.code != FAILED:
                raise AwsUnreachable(f"the clients table refused: {err}") from err
            row = Row(err.body.get("Item") or {})
            # There already: the first attempt arrived, and only its answer was lost.
            if wanted.id and wanted.id in row.open:
                return row
            failed = refusal(row, wanted)
            if isinstance(failed, OverBudget) and not failed.retry_helps:
                await self._chores.refused(row, wanted.month, wanted.now)
            raise failed from err

    async def after(self, row: Row, month: str, now: dt.datetime) -> None:
        """What a settlement leaves to be done: days moved, warnings given."""
        await self._chores.after(row, month, now)

    async def write(self, client: str, expressions: Item) -> Row:
        """One write of a client's row; the row after it.

        Raises:
            AwsRefused: a condition of it does not hold; AwsUnreachable.
        """
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
