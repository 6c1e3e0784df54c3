"""What holds for all clients of a deployment together: how much may be handed out, and whether
anybody is served."""

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from claude_core.models import NANO
from claude_core.row import Row
from kit.say import Stop

ID = "#all"
"""Of its item in the clients table: no client's id has a #."""
TRIES = 5
AT_ONCE = 16

Write = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Whole:
    """All clients together, at one moment."""

    cap: int | None
    """Nano-dollars a month that may be handed out; None for no end."""
    stopped: bool
    rows: tuple[Row, ...]
    version: int

    @property
    def handed_out(self) -> int:
        """Nano-dollars a month."""
        return sum(row.budget for row in self.rows)

    def check_cap(self, more: int) -> None:
        """Refuse what would hand out more than there is.

        Raises:
            Stop: says how much there is, and how much is left of it.
        """
        if self.cap is not None and self.handed_out + more > self.cap:
            left = (self.cap - self.handed_out) / NANO
            raise Stop(
                f"that is more than may be handed out: {left:,.2f} of {self.cap / NANO:,.2f} USD a "
                "month is left; see: kit budget show, kit budget cap"
            )


class Ledger:
    """Reads the whole, and changes it or a client only if nobody else has meanwhile."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self.dynamodb, self.table = dynamodb, table

    def read(self) -> Whole:
        pages = self.dynamodb.get_paginator("scan").paginate(
            TableName=self.table, ConsistentRead=True
        )
        items = {item["id"]["S"]: item for page in pages for item in page["Items"]}
        own = Row(items.pop(ID, {}))
        cap = own.number("cap") if "cap" in own.item else None
        rows = tuple(sorted((Row(item) for item in items.values()), key=lambda row: row.name))
        return Whole(cap, own.flag("stopped"), rows, own.number("version"))

    def change(self, plan: Callable[[Whole], list[Write]], **own: Any) -> None:
        """Write what `plan` says and the whole's `own` attributes, or nothing.

        Raises:
            Stop: others kept changing it; whatever `plan` raises.
        """
        for at in range(TRIES):
            # One that runs calls all the time is changed between two of them.
            time.sleep(at * random.uniform(0.02, 0.08))  # nosec B311: no secret
            whole = self.read()
            writes = [self._turn(whole.version, own), *plan(whole)]
            try:
                self.dynamodb.transact_write_items(TransactItems=writes)
                return
            except self.dynamodb.exceptions.TransactionCanceledException as err:
                reasons = [why.get("Code") for why in err.response["CancellationReasons"]]
                if not {"ConditionalCheckFailed", "TransactionConflict"} & set(reasons):
                    raise
        raise Stop("somebody else is changing the clients; try again")

    def stop(self, stopped: bool) -> int:
        """Stop every client, or let them go on; how many there are.

        The mark of the whole comes first: a client that is added meanwhile takes it over.
        """
        self.change(lambda whole: [], stopped={"BOOL": stopped})
        rows = self.read().rows
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return sum(pool.map(lambda row: self._mark(row, stopped), rows))

    def _mark(self, row: Row, stopped: bool) -> int:
        values = {"ExpressionAttributeValues": {":yes": {"BOOL": True}}} if stopped else {}
        try:
            self.dynamodb.update_item(
                TableName=self.table,
                Key={"id": {"S": row.id}},
                UpdateExpression="SET stopped = :yes" if stopped else "REMOVE stopped",
                ConditionExpression="attribute_exists(id)",
                **values,
            )
        except self.dynamodb.exceptions.ConditionalCheckFailedException:
            return 0  # purged meanwhile
        return 1

    def _turn(self, seen: int, own: dict[str, Any]) -> Write:
        """The whole's own write, which fails if its version is not the one that was seen."""
        sets = [f"#{name} = :{name}" for name, value in own.items() if value is not None]
        gone = [f"#{name}" for name, value in own.items() if value is None]
        return {
            "Update": {
                "TableName": self.table,
                "Key": {"id": {"S": ID}},
                "UpdateExpression": f"SET {', '.join(['#version = :next', *sets])}"
                + (f" REMOVE {', '.join(gone)}" if gone else ""),
                "ConditionExpression": "#version = :seen"
                if seen
                else "attribute_not_exists(#version)",
                "ExpressionAttributeNames": {f"#{name}": name for name in ("version", *own)},
                "ExpressionAttributeValues": {
                    ":next": {"N": str(seen + 1)},
                    **({":seen": {"N": str(seen)}} if seen else {}),
                    **{f":{name}": value for name, value in own.items() if value is not None},
                },
            }
        }
