"""A client's budget is half, four fifths, all gone: told to the alarm topic, once each a month."""

import datetime as dt

from claude_core.admission import usd
from claude_core.aws import FAILED, Aws, AwsRefused
from claude_core.errors import AwsUnreachable
from claude_core.row import Row, next_month

LEVELS = (50, 80, 100)
NEARLY, GONE = LEVELS[-2:]


def due(row: Row, month: str, *, refused: bool = False) -> int | None:
    """The warning that is to be given now, in percent.

    Args:
        refused: a call was, since the rest of the month's money does not cover it.
    """
    spent, budget = row.spent(month) * 100, row.budget
    reached = [level for level in LEVELS if spent >= level * budget]
    # The last cents are rarely spent: once they cover no call, the budget is gone.
    if refused and spent >= NEARLY * budget:
        reached.append(GONE)
    level = max(reached, default=0)
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
        first = "attribute_not_exists(#warned) OR #warned < :new"
        if not await self._mark(row.id, month, first, new=level):
            return
        try:
            await self._aws.publish(
                self._topic,
                subject=f"Claude budget: {row.name[:60]} has used {level} %",
                message=_text(row, month, level, now),
            )
        except (AwsRefused, AwsUnreachable):
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


def _text(row: Row, month: str, level: int, now: dt.datetime) -> str:
    spent, reserved = row.spent(month), row.reserved(month)
    refused = "Calls that the rest does not cover are refused.\n" if level == GONE else ""
    return (
        f"Client {row.name} has spent {usd(spent)} of its {usd(row.budget)} for "
        f"{month.replace('_', '-')}; {usd(reserved)} more are reserved for open calls.\n{refused}\n"
        f"The budget resets on {next_month(now):%Y-%m-%d} at 00:00 UTC.\n"
        f"More money: kit clients set {row.name} --budget USD\nWhat it went for: kit usage\n"
    )
