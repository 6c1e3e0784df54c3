"""A client's budget is half, four fifths, all gone: told to the alarm topic, once each a month."""

import asyncio
import datetime as dt

from claude_core.admission import usd
from claude_core.aws import FAILED, Aws, AwsRefused
from claude_core.errors import AwsUnreachable
from claude_core.row import Row, next_month

LEVELS = (50, 80, 100)
NEARLY, REFUSING, GONE = 80, 95, 100
"""REFUSING is no share of the budget, but stands between: calls are refused, and some is left."""
ALL_BUT = 99
"""Percent from which a budget that refuses is gone: the last cents are rarely spent."""


def due(row: Row, month: str) -> int | None:
    """The warning that is to be given now, in percent."""
    spent = row.spent(month) * 100
    return _unless_told(row, month, [level for level in LEVELS if spent >= level * row.budget])


def due_refused(row: Row, month: str) -> int | None:
    """The same, when a call was refused that no waiting would admit."""
    spent = row.spent(month) * 100
    if spent >= ALL_BUT * row.budget:
        return _unless_told(row, month, [GONE])
    return _unless_told(row, month, [REFUSING] if spent >= NEARLY * row.budget else [])


def reached(spent: int, budget: int) -> int:
    """The level that a month stands at, in percent; 0 below the first."""
    return max((level for level in LEVELS if spent * 100 >= level * budget), default=0)


def _unless_told(row: Row, month: str, levels: list[int]) -> int | None:
    level = max(levels, default=0)
    return level if level > row.number(f"warned_{month}") else None


class Alerts:
    """Tells one topic, and notes in the clients table what it has told."""

    def __init__(self, aws: Aws, *, table: str, topic: str) -> None:
        self._aws, self._table, self._topic = aws, table, topic

    async def warn(self, row: Row, month: str, level: int, now: dt.datetime) -> None:
        """Tell the topic, unless another call has; the mark comes first, so that it is once.

        Raises:
            AwsRefused, AwsUnreachable: it was not told, and is due again.
        """
        first = "attribute_exists(id) AND (attribute_not_exists(#warned) OR #warned < :new)"
        if not await self._mark(row.id, month, first, new=level):
            return
        try:
            await self._aws.publish(
                self._topic,
                subject=f"Claude budget: {row.name[:60]} {_what(level)}",
                message=_text(row, month, level, now),
            )
        except (AwsRefused, AwsUnreachable, asyncio.CancelledError):
            before = row.number(f"warned_{month}")
            await self._mark(row.id, month, "#warned = :old", new=before, old=level)
            raise

    async def _mark(self, client: str, month: str, condition: str, **levels: int) -> bool:
        """Note the last warning; whether it was for this call to do."""
        try:
            await self._aws.call(
                "dynamodb",
                "DynamoDB_20120810.UpdateItem",
                {
                    "TableName": self._table,
                    "Key": {"id": {"S": client}},
                    "UpdateExpression": "SET #warned = :new",
                    "ConditionExpression": condition,
                    "ExpressionAttributeNames": {"#warned": f"warned_{month}"},
                    "ExpressionAttributeValues": {
                        f":{name}": {"N": str(level)} for name, level in levels.items()
                    },
                },
            )
        except AwsRefused as err:
            if err.code != FAILED:
                raise
            return False
        return True


def _what(level: int) -> str:
    return "is refusing calls" if level == REFUSING else f"has used {level} %"


def _text(row: Row, month: str, level: int, now: dt.datetime) -> str:
    spent, reserved = row.spent(month), row.reserved(month)
    refused = "Calls that the rest does not cover are refused.\n" if level >= REFUSING else ""
    return (
        f"Client {row.name} has spent {usd(spent)} of its {usd(row.budget)} for "
        f"{month.replace('_', '-')}; {usd(reserved)} more are reserved for open calls.\n{refused}\n"
        f"The budget resets on {next_month(now):%Y-%m-%d} at 00:00 UTC.\n"
        f"More money: kit clients set {row.name} --budget USD\nWhat it went for: kit usage\n"
    )
