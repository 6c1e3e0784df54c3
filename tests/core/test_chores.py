"""Beside a settlement: warnings, once each, and days, moved when over; neither holds it up."""

import asyncio
import datetime as dt
import time
from typing import Any

import pytest

from claude_core.errors import OverBudget
from claude_core.reservation import Spent
from claude_core.usage import Usage
from tests.cloud.cloud import Do
from tests.cloud.faults import losing
from tests.core.purse import FAST, MONTH, NOVEMBER, Purse

USAGE = Usage(input_tokens=100, output_tokens=50, cache_read_tokens=40)


def spend(purse: Purse, cost: int) -> None:
    purse.settle(purse.reserve(cost), cost, USAGE)


def test_the_alarm_topic_is_told_at_50_and_80_and_100_percent_once_each() -> None:
    purse = Purse(budget=10**9)
    for _ in range(100):
        spend(purse, 10**7)
    subjects = [subject for subject, _ in purse.cloud.topic]
    assert subjects == [f"Claude budget: shop has used {level} %" for level in (50, 80, 100)]


def test_a_warning_says_how_it_stands_and_what_to_do() -> None:
    purse = Purse(budget=20 * 10**9)
    purse.reserve(2 * 10**9)
    spend(purse, 16 * 10**9)
    ((_, message),) = purse.cloud.topic
    assert "has spent $16.00 of its $20.00 for 2026-11; $2.00 more are reserved" in message
    assert "resets on 2026-12-01 at 00:00 UTC" in message
    assert "kit clients set shop --budget" in message


def test_a_budget_that_refuses_with_money_left_says_that_it_refuses_and_later_that_it_is_gone() -> (
    None
):
    purse = Purse(budget=1_000)
    spend(purse, 850)
    for _ in range(3):
        with pytest.raises(OverBudget):
            purse.reserve(200)
    spend(purse, 145)
    with pytest.raises(OverBudget):
        purse.reserve(200)
    told = [subject.removeprefix("Claude budget: shop ") for subject, _ in purse.cloud.topic]
    assert told == ["has used 80 %", "is refusing calls", "has used 100 %"]


def test_a_refusal_that_waiting_would_mend_warns_nobody() -> None:
    purse = Purse(budget=1_000)
    spend(purse, 850)
    purse.cloud.topic.clear()
    purse.reserve(150)
    with pytest.raises(OverBudget):
        purse.reserve(100)
    assert purse.cloud.topic == []


def test_one_call_that_is_far_too_large_does_not_say_that_the_budget_is_gone() -> None:
    purse = Purse(budget=100)
    with pytest.raises(OverBudget):
        purse.reserve(500)
    assert purse.cloud.topic == []


def test_many_calls_that_cross_a_line_at_once_warn_once() -> None:
    purse = Purse(budget=1_000)

    async def many() -> None:
        async def one() -> None:
            admitted = await purse.budget.reserve(purse.key, FAST, 10)
            await purse.budget.settle(admitted.held, Spent(FAST, 10), row=admitted.row)

        await asyncio.gather(*[one() for _ in range(60)])

    asyncio.run(many())
    assert len(purse.cloud.topic) == 1


def test_a_new_month_warns_anew() -> None:
    purse = Purse(budget=100)
    spend(purse, 60)
    purse.now = dt.datetime(2026, 12, 2, tzinfo=dt.UTC)
    spend(purse, 60)
    assert len(purse.cloud.topic) == 2


def test_a_topic_that_is_down_costs_one_try_in_five_minutes_and_the_warning_comes_later() -> None:
    purse = Purse(budget=1_000)
    purse.cloud.around = losing(lambda action: "before" if action == "Publish" else None)
    for _ in range(70):
        spend(purse, 10)
    assert len(purse.trouble) == 1
    assert "has to wait" in purse.trouble[0]
    purse.cloud.around = None
    purse.now += dt.timedelta(minutes=6)
    spend(purse, 10)
    assert len(purse.cloud.topic) == 1


def test_chores_that_hang_hold_a_settlement_up_for_a_second_once() -> None:
    purse = Purse(budget=1_000)

    async def around(service: str, action: str, payload: dict[str, Any], do: Do) -> Any:
        return await (asyncio.Event().wait() if action == "Publish" else do())

    purse.cloud.around = around
    began = time.monotonic()
    for _ in range(60):
        spend(purse, 10)
    assert 1 <= time.monotonic() - began < 2
    assert purse.row.spent(MONTH) == 600
    purse.cloud.around = None
    purse.now += dt.timedelta(minutes=6)
    spend(purse, 10)
    assert len(purse.cloud.topic) == 1


def test_a_client_that_only_lists_models_for_days_has_a_row_that_can_still_be_paid_from() -> None:
    purse = Purse()
    for _ in range(2_000):
        purse.run(purse.budget.prove(purse.key))
        purse.now += dt.timedelta(minutes=1)
    assert len(purse.row.item) < 50
    spend(purse, 10)
    assert purse.row.open == {}


def test_a_row_full_of_old_minutes_is_emptied_by_and_by() -> None:
    purse = Purse()
    old = {
        f"minute_2026112{at // 1440}{at // 60 % 24:02}{at % 60:02}": {"N": "1"} for at in range(900)
    }
    purse.change(**old)
    for _ in range(20):
        spend(purse, 1)
    assert not old.keys() & purse.row.item.keys()


def test_an_erased_client_does_not_come_back_by_a_chore_of_a_call_that_was_running() -> None:
    purse = Purse(budget=100)
    spend(purse, 40)
    held, row = purse.reserve(20), purse.row
    purse.now += dt.timedelta(days=3)
    purse.clients.store(purse.key.id, None)
    purse.run(purse.budget.settle(held, Spent(FAST, 20), row=row))
    assert (purse.clients.items, purse.history.items, purse.cloud.topic) == ({}, {}, [])


def test_each_day_is_counted_by_model_in_the_settlement_itself() -> None:
    purse = Purse(budget=10**9)
    spend(purse, 30)
    spend(purse, 12)
    counted = {"cost": 42, "calls": 2, "input": 280, "output": 100, "cached": 80}
    assert purse.row.use() == {"20261123": {FAST.id: counted}}


def test_what_cost_nothing_is_not_counted() -> None:
    purse = Purse()
    purse.settle(purse.reserve(30), 0)
    assert purse.row.use() == {}


def test_a_day_goes_to_the_history_once_no_clock_can_add_to_it_and_is_counted_once() -> None:
    purse = Purse(budget=10**9)
    spend(purse, 30)
    purse.now = NOVEMBER + dt.timedelta(days=1)
    spend(purse, 30)
    assert purse.history.items == {}
    purse.now = NOVEMBER + dt.timedelta(days=2)
    spend(purse, 30)
    (kept,) = purse.history.items.values()
    assert kept["day"] == {"S": "20261123"}
    assert kept["name"] == {"S": "shop"}
    assert kept["models"]["M"][FAST.id]["M"]["cost"] == {"N": "30"}
    ends = dt.datetime.fromtimestamp(int(kept["expires_at"]["N"]), dt.UTC)
    assert ends == dt.datetime(2027, 12, 28, tzinfo=dt.UTC)
    assert set(purse.row.use()) == {"20261124", "20261125"}


def test_a_history_that_is_down_keeps_the_day_in_the_row_and_the_call_goes_on() -> None:
    purse = Purse(budget=10**9)
    spend(purse, 30)
    purse.now = NOVEMBER + dt.timedelta(days=2)
    purse.cloud.around = losing(lambda action: "before" if action == "PutItem" else None)
    spend(purse, 30)
    assert "20261123" in purse.row.use()
    assert len(purse.trouble) == 1
    purse.cloud.around = None
    purse.now += dt.timedelta(minutes=6)
    spend(purse, 30)
    assert "20261123" not in purse.row.use()
    assert len(purse.history.items) == 1


def test_a_month_of_calls_every_day_loses_no_nano_dollar_between_row_and_history() -> None:
    purse = Purse(budget=10**9)
    for day in range(30):
        purse.now = dt.datetime(2026, 11, 1, 9, tzinfo=dt.UTC) + dt.timedelta(days=day)
        spend(purse, 1_000 + day)
    kept = sum(
        int(one["models"]["M"][FAST.id]["M"]["cost"]["N"]) for one in purse.history.items.values()
    )
    held = sum(models[FAST.id]["cost"] for models in purse.row.use().values())
    assert kept + held == purse.row.spent(MONTH) == sum(range(1_000, 1_030))
