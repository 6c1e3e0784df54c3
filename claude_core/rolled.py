"""A roll that is written until it is known whether it was."""

import asyncio
from collections.abc import Callable

from claude_core.admission import Wanted, refusal
from claude_core.aws import FAILED, AwsRefused
from claude_core.budget import Budget
from claude_core.errors import AwsUnreachable, KitError
from claude_core.rolling import Roll
from claude_core.row import Row, next_minute

AGAIN_S = (0.2, 1.0, 3.0, 5.0)
"""Between tries of a write whose outcome is not known."""


async def written(
    budget: Budget, client: str, roll: Roll, *, on_trouble: Callable[[KitError], None]
) -> tuple[Row, KitError | None]:
    """The row after the write, or as it stands and why it was refused; however long that takes.

    Args:
        on_trouble: is told of each try whose outcome is not known.
    """
    tries = 0
    while True:
        try:
            return await budget.write(client, roll.expressions()), None
        except AwsRefused as err:
            if err.code == FAILED:
                row = Row(err.body.get("Item") or {})
                return row, None if _arrived(roll, row) else _why(roll, row)
            trouble = AwsUnreachable(f"the clients table refused: {err}")
        except AwsUnreachable as err:
            trouble = err
        on_trouble(trouble)
        await asyncio.sleep(AGAIN_S[min(tries, len(AGAIN_S) - 1)])
        tries += 1


def _arrived(roll: Roll, row: Row) -> bool:
    """Whether a write that is refused now was made by a try whose answer was lost."""
    if roll.new:
        return roll.new in row.open
    return bool(row.item) and roll.old is not None and roll.old not in row.open


def _why(roll: Roll, row: Row) -> KitError:
    if not roll.wants:
        return AwsUnreachable("the reservation is gone")
    want = roll.wants[0]
    wanted = Wanted(roll.now, None, want.model, want.needs, len(roll.wants), roll.new, roll.taken)
    failed = refusal(row, wanted)
    if isinstance(failed, AwsUnreachable):
        # Nothing that a caller could mend: the reservation was released by hand.
        failed.retry_after_s = (next_minute(roll.now) - roll.now).total_seconds()
    return failed
