"""What is done beside a settlement, and never holds a call up: days moved, warnings given."""

import datetime as dt
from collections.abc import Callable

from claude_core import history
from claude_core.alerts import Alerts, due
from claude_core.aws import Aws, AwsRefused
from claude_core.errors import AwsUnreachable
from claude_core.row import Row

REST = dt.timedelta(minutes=5)
"""Without a try after one that failed: a topic that is down must not slow each call down."""


class Chores:
    """One process's; `trouble` is told what failed."""

    def __init__(
        self, aws: Aws, *, history_table: str, alerts: Alerts, trouble: Callable[[str], None]
    ) -> None:
        self._aws, self._history_table = aws, history_table
        self._alerts, self._trouble = alerts, trouble
        self._rests_until: dt.datetime | None = None

    async def move_days(self, row: Row, now: dt.datetime) -> list[str]:
        """Keep the days of a row that are over; the attributes that it needs no more."""
        moved: list[str] = []
        try:
            for day in history.ended(row, now):
                if self._resting(now):
                    break
                await history.keep(self._aws, self._history_table, day)
                moved += day.attributes
        except (AwsRefused, AwsUnreachable) as err:
            self._failed(now, f"a day of {row.id} stays in its row: {err}")
        return moved

    async def warn(self, row: Row, month: str, now: dt.datetime, *, refused: bool = False) -> None:
        """Give the warning that is due, if one is."""
        level = due(row, month, refused=refused)
        if level is None or self._resting(now):
            return
        try:
            await self._alerts.warn(row, month, level, now)
        except (AwsRefused, AwsUnreachable) as err:
            self._failed(now, f"the alarm topic was not told of {row.id}: {err}")

    def _resting(self, now: dt.datetime) -> bool:
        return self._rests_until is not None and now < self._rests_until

    def _failed(self, now: dt.datetime, what: str) -> None:
        self._rests_until = now + REST
        self._trouble(what)
