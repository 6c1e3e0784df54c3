"""Money that a client spends in a deployment that moto plays, without asking Claude."""

import asyncio
import datetime as dt

from claude_core.aws import Aws
from claude_core.budget import Budget
from claude_core.clients import ClientKey
from claude_core.connections import AwsHttp
from claude_core.models import Model, resolve
from claude_core.reservation import Reservation, Spent
from claude_core.usage import Usage
from tests.doubles import AwsDouble


def spend(
    aws: AwsDouble,
    key: str,
    cost: int | None,
    *,
    model: Model | None = None,
    usage: Usage | None = None,
    now: dt.datetime | None = None,
    reserve: int = 1_000,
) -> Reservation:
    """Reserve and settle; with a cost of None the reservation stays open."""
    model = model or resolve("fast")

    async def once() -> Reservation:
        async with AwsHttp() as client:
            budget = Budget.build(
                Aws(client, aws.runtime),
                table=aws.table,
                history_table=aws.history,
                topic="",
                trouble=lambda what: None,
            )
            if now:
                budget._now = lambda: now
            worst = max(cost or 0, reserve)
            admitted = await budget.reserve(ClientKey.parse(key), model, worst)
            if cost is not None:
                spent = Spent(model, cost, usage or Usage())
                await budget.settle(admitted.held, spent, row=admitted.row)
            return admitted.held

    return asyncio.run(once())
