"""What is done after a settlement, and holds no call up for long: days moved, warnings given.

At most a second for all of it, and none for five minutes after a try that failed.
"""

import asyncio
import datetime as dt
from collections.abc import Callable, Coroutine
from typing import Any

from claude_core import history
from claude_core.alerts import Alerts, due, due_refused
from claude_core.aws import Aws, AwsRefused
from claude_core.errors import AwsUnreachable
from claude_core.row import MOST_GONE, Row

REST = dt.timedelta(minutes=5)
"""Without a try after one that failed: a topic that is down must not slow each call down."""
LONGEST_S = 1.0
UNTIDY = 20
"""Attributes that are over, at which a row of which nothing is settled is tidied."""


class Chores:
    """One process's; `trouble` is told what failed."""

    def __init__(
        self,
        aws: Aws,
        *,
        table: str,
        history_table: str,
        alerts: Alerts,
        trouble: Callable[[str], None],
    ) -> None:
        self._aws, self._table, self._history_table = aws, table, history_table
        self._alerts, self._trouble = alerts, trouble
        self._rests_until: dt.datetime | None = None

    async def after(self, row: Row, month: str, now: dt.datetime) -> None:
        """All that a row needs which a settlement has just left."""
        if level := due(row, month):
            await self._do(row, now, self._alerts.warn(row, month, level, now))
        if days := history.ended(row, now):
            await self._do(row, now, self._move(row, days))

    async def refused(self, row: Row, month: str, now: dt.datetime) -> None:
        """Warn, if a call was refused and waiting would not help."""
        if level := due_refused(row, month):
            await self._do(row, now, self._alerts.warn(row, month, level, now))

    async def tidy(self, row: Row, now: dt.datetime) -> None:
        """Drop what is over from a row that is only read from: no settlement does it there."""
        gone = row.outdated(now)
        if len(gone) >= UNTIDY:
            await self._do(row, now, self._drop(row, list(gone)))

    async def _move(self, row: Row, days: tuple[history.Day, ...]) -> None:
        """Keep days that are over, then drop them from the row."""
        for day in days:
            await history.keep(self._aws, self._history_table, day)
            await self._drop(row, day.attributes)

    async def _drop(self, row: Row, names: list[str]) -> None:
        names = names[:MOST_GONE]
        await self._aws.call(
            "dynamodb",
            "DynamoDB_20120810.UpdateItem",
            {
                "TableName": self._table,
                "Key": {"id": {"S": row.id}},
                "UpdateExpression": f"REMOVE {', '.join(f'#n{at}' for at in range(len(names)))}",
                "ConditionExpression": "attribute_exists(id)",
                "ExpressionAttributeNames": {f"#n{at}": name for at, name in enumerate(names)},
            },
        )

    async def _do(self, row: Row, now: dt.datetime, doing: Coroutine[Any, Any, None]) -> None:
        if self._rests_until is not None and now < self._rests_until:
            doing.close()
            return
        try:
            async with asyncio.timeout(LONGEST_S):
                await doing
        except (AwsRefused, AwsUnreachable, TimeoutError) as err:
            self._rests_until = now + REST
            self._trouble(f"of client {row.id} a warning or a day has to wait: {err!r}")
