"""A worker's money: few writes for many calls, exact whatever is lost on the way."""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_core.errors import AwsUnreachable, NotAllowed, OverBudget, TooMany
from claude_core.models import resolve
from claude_core.rolling import Want
from claude_core.teller import Teller
from tests.cloud.faults import losing
from tests.cloud.virtual import VirtualLoop
from tests.core.purse import MONTH, Purse

FAST, DEEP = resolve("fast"), resolve("deep")
WANT = Want(FAST, 100)


def run(
    purse: Purse, doing: Callable[[Teller], Awaitable[None]], *, close: bool = True
) -> VirtualLoop:
    """Do something with the teller of one worker, in no time."""
    loop = VirtualLoop()

    async def done() -> None:
        teller = Teller(purse.budget, now=lambda: purse.now)
        await doing(teller)
        if close:
            await teller.close()

    try:
        loop.run(done())
    finally:
        loop.close()
    return loop


def test_many_calls_take_few_writes_and_leave_nothing_open() -> None:
    purse = Purse(budget=100_000)

    async def work(teller: Teller) -> None:
        async def call() -> None:
            share = await teller.reserve(purse.key.id, WANT)
            await asyncio.sleep(1)
            await share.settle(40)

        await asyncio.gather(*(call() for _ in range(200)))

    run(purse, work)
    assert purse.row.spent(MONTH) == 200 * 40
    assert purse.row.left(MONTH) == 100_000 - 200 * 40
    assert not purse.row.open
    assert purse.cloud.dynamo.calls <= 16  # four times fifty are admitted, and settled


def test_open_calls_of_a_worker_are_one_reservation() -> None:
    purse = Purse(budget=100_000)

    async def work(teller: Teller) -> None:
        await asyncio.gather(*(teller.reserve(purse.key.id, WANT) for _ in range(120)))

    run(purse, work)
    assert list(purse.row.open.values()) == [12_000]
    assert purse.row.left(MONTH) == 88_000


def test_what_does_not_fit_is_refused_and_all_that_fits_is_served() -> None:
    purse = Purse(budget=1_050)
    refused: list[BaseException] = []

    async def work(teller: Teller) -> None:
        asked = (teller.reserve(purse.key.id, WANT) for _ in range(16))
        found = await asyncio.gather(*asked, return_exceptions=True)
        refused.extend(one for one in found if isinstance(one, BaseException))

    run(purse, work)
    assert [type(one) for one in refused] == [OverBudget] * 6
    assert sum(purse.row.open.values()) == 1_000


def test_one_that_may_not_be_made_does_not_keep_its_neighbours_from_it() -> None:
    purse = Purse(budget=100_000)
    found: list[object] = []

    async def work(teller: Teller) -> None:
        wants = [WANT, Want(DEEP, 100), WANT]
        asked = (teller.reserve(purse.key.id, want) for want in wants)
        found.extend(await asyncio.gather(*asked, return_exceptions=True))

    run(purse, work)
    assert isinstance(found[1], NotAllowed)
    assert sum(purse.row.open.values()) == 200


def test_requests_of_the_minute_are_counted_and_come_back_in_the_next() -> None:
    purse = Purse(budget=100_000, rpm=10)

    async def work(teller: Teller) -> None:
        asked = (teller.reserve(purse.key.id, WANT) for _ in range(12))
        found = await asyncio.gather(*asked, return_exceptions=True)
        assert sum(isinstance(one, TooMany) for one in found) == 2
        purse.now += dt.timedelta(minutes=1)
        await teller.reserve(purse.key.id, WANT)

    run(purse, work)
    assert sum(purse.row.open.values()) == 1_100


def test_a_month_is_charged_for_the_calls_that_were_begun_in_it() -> None:
    purse = Purse(budget=100_000)

    async def work(teller: Teller) -> None:
        old = await teller.reserve(purse.key.id, WANT)
        purse.now = dt.datetime(2026, 12, 1, tzinfo=dt.UTC)
        new = await teller.reserve(purse.key.id, WANT)
        await old.settle(30)
        await new.settle(20)

    run(purse, work)
    assert (purse.row.spent("2026_11"), purse.row.spent("2026_12")) == (30, 20)
    assert purse.row.left("2026_12") == 100_000 - 20
    assert not purse.row.open


def test_a_reservation_that_was_released_by_hand_stops_nobody() -> None:
    purse = Purse(budget=100_000)

    async def work(teller: Teller) -> None:
        share = await teller.reserve(purse.key.id, WANT)
        purse.change(open={"M": {}}, **{f"left_{MONTH}": {"N": "100000"}})
        assert await share.settle(30)

    run(purse, work)
    assert purse.row.left(MONTH) == 100_000


@given(
    lost=st.lists(st.sampled_from(["", "before", "after"]), max_size=40),
    costs=st.lists(st.integers(0, 100), min_size=1, max_size=30),
)
def test_no_money_is_made_or_lost_whatever_answers_are_lost(
    lost: list[str], costs: list[int]
) -> None:
    purse, left = Purse(budget=100_000), list(lost)
    paid = []
    purse.cloud.around = losing(lambda action: (left.pop() or None) if left else None)

    async def work(teller: Teller) -> None:
        async def call(cost: int) -> None:
            try:
                share = await teller.reserve(purse.key.id, WANT)
            except AwsUnreachable:
                return
            paid.append(cost)
            await share.settle(cost)

        await asyncio.gather(*(call(cost) for cost in costs))

    run(purse, work)
    assert purse.row.spent(MONTH) == sum(paid)
    assert purse.row.left(MONTH) == 100_000 - sum(paid)
    assert not purse.row.open


def test_whoever_leaves_while_money_is_taken_gets_it_back() -> None:
    purse = Purse(budget=100_000)

    async def work(teller: Teller) -> None:
        asking = [asyncio.create_task(teller.reserve(purse.key.id, WANT)) for _ in range(5)]
        await asyncio.sleep(0.01)
        for one in asking[:4]:
            one.cancel()
        await asking[4]

    run(purse, work)
    assert sum(purse.row.open.values()) == 100


@pytest.mark.parametrize("wants", [1, 60])
def test_a_client_that_is_gone_is_told_so_to_each(wants: int) -> None:
    purse = Purse()

    async def work(teller: Teller) -> None:
        asked = (teller.reserve("nobody00", WANT) for _ in range(wants))
        found = await asyncio.gather(*asked, return_exceptions=True)
        assert all(getattr(one, "status", 0) == 401 for one in found), found

    run(purse, work)
