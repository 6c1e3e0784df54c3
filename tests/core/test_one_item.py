"""One client's item takes 1,000 calls a second, where its workers reserve for several at once."""

import asyncio
import datetime as dt
from collections import Counter, deque

import pytest

from claude_core.admitted import Reserved
from claude_core.reservation import Spent
from claude_core.usage import Usage
from tests.core.purse import FAST, Purse

PARTITION_UNITS = 1_000
"""Write units a second that one item can take:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html"""
TAKES_S, SECONDS = 5, 8
USED = Spent(FAST, 400, Usage(input_tokens=900, output_tokens=200))


def busiest_second(together: int, *, calls_per_s: int = 1_000) -> int:
    """Write units of the busiest second at so many calls a second of five seconds each, reserved
    so many together."""
    purse = Purse(budget=10**12, rpm=10**6)
    units: Counter[int] = Counter()

    async def work() -> None:
        running: deque[tuple[float, Reserved]] = deque()
        start = purse.now
        for at in range(SECONDS * calls_per_s // together):
            second = at * together / calls_per_s
            purse.now = start + dt.timedelta(seconds=second)
            before = purse.clients.units
            running.append(
                (
                    second,
                    await purse.budget.reserve(
                        purse.key.id, FAST, 5_000 * together, calls=together
                    ),
                )
            )
            while running and running[0][0] <= second - TAKES_S:
                _, admitted = running.popleft()
                await purse.budget.settle(admitted.held, USED, row=admitted.row)
            units[int(second)] += purse.clients.units - before

    asyncio.run(work())
    return max(units.values())


@pytest.mark.parametrize(("together", "fits"), [(50, True), (20, True), (10, False)])
def test_one_item_takes_a_thousand_calls_a_second_from_twenty_together_on(
    together: int, fits: bool
) -> None:
    assert (busiest_second(together) < PARTITION_UNITS) is fits


@pytest.mark.parametrize(("calls_per_s", "fits"), [(60, True), (80, False)])
def test_calls_that_reserve_for_themselves_reach_sixty_a_second(
    calls_per_s: int, fits: bool
) -> None:
    assert (busiest_second(1, calls_per_s=calls_per_s) < PARTITION_UNITS) is fits
