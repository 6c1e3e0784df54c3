"""Money is taken before it is spent, given back once, and never out of thin air."""

import asyncio
import datetime as dt
from typing import Any

import pytest

from claude_core.admission import OPEN_LIMIT
from claude_core.clients import ClientKey, new_key
from claude_core.errors import (
    AwsUnreachable,
    InvalidRequest,
    KitError,
    NotAllowed,
    NotAuthenticated,
    OverBudget,
    Stopped,
    TooMany,
)
from claude_core.reservation import Reservation, Spent, new_id
from claude_core.usage import Usage
from tests.cloud.cloud import Do
from tests.cloud.faults import losing
from tests.core.purse import DEEP, FAST, MONTH, NOVEMBER, Purse

DECEMBER = dt.datetime(2026, 12, 1, tzinfo=dt.UTC)


def test_a_reservation_takes_the_worst_cost_and_settling_gives_back_the_rest() -> None:
    purse = Purse(budget=1_000)
    held = purse.reserve(600)
    assert (purse.row.left(MONTH), purse.row.reserved(MONTH)) == (400, 600)
    purse.settle(held, 50)
    assert (purse.row.left(MONTH), purse.row.spent(MONTH)) == (950, 50)
    assert purse.row.open == {}


def test_settling_twice_gives_back_once_so_that_a_retry_invents_no_money() -> None:
    purse = Purse(budget=1_000)
    held = purse.reserve(600)
    for _ in range(3):
        purse.settle(held, 100)
    assert (purse.row.left(MONTH), purse.row.spent(MONTH)) == (900, 100)


def test_a_reservation_that_nobody_settles_stays_charged() -> None:
    purse = Purse(budget=1_000)
    held = purse.reserve(600)
    purse.now += dt.timedelta(days=3)
    assert purse.row.left(MONTH) == 400
    assert purse.row.open == {held.id: 600}


def test_what_a_call_costs_above_its_reservation_is_charged_too() -> None:
    purse = Purse(budget=1_000)
    purse.settle(purse.reserve(600), 700)
    assert purse.row.left(MONTH) == 300


def test_ten_calls_fit_a_budget_of_ten_however_many_race_for_it() -> None:
    purse = Purse(budget=1_000)

    async def race() -> list[object]:
        calls = [purse.budget.reserve(purse.key, FAST, 100) for _ in range(200)]
        return list(await asyncio.gather(*calls, return_exceptions=True))

    refused = [one for one in asyncio.run(race()) if isinstance(one, OverBudget)]
    assert len(refused) == 190
    assert purse.row.left(MONTH) == 0


def test_a_new_month_starts_with_the_whole_budget() -> None:
    purse = Purse(budget=1_000)
    purse.reserve(1_000)
    with pytest.raises(OverBudget):
        purse.reserve(1)
    purse.now = DECEMBER
    purse.reserve(1)
    assert purse.row.left("2026_12") == 999


def test_a_settlement_after_midnight_goes_to_the_month_that_was_charged() -> None:
    purse = Purse(budget=1_000)
    held = purse.reserve(600)
    purse.now = DECEMBER
    purse.settle(held, 0)
    assert purse.row.left(MONTH) == 1_000
    assert "left_2026_12" not in purse.row.item


def test_a_client_with_too_many_open_calls_waits_since_its_row_has_an_end() -> None:
    full = {"M": {f"{at:08x}-full": {"N": "1"} for at in range(OPEN_LIMIT)}}
    with pytest.raises(TooMany, match="calls open") as refused:
        Purse(open=full).reserve(1)
    assert refused.value.retry_after_s == 1


def test_the_minute_ends_after_so_many_requests_and_the_next_one_begins_anew() -> None:
    purse = Purse(rpm=3)
    for _ in range(3):
        purse.settle(purse.reserve(1), 0)
    with pytest.raises(TooMany, match="limit 3"):
        purse.reserve(1)
    with pytest.raises(TooMany):
        purse.run(purse.budget.prove(purse.key))
    purse.now += dt.timedelta(minutes=1)
    purse.reserve(1)


def test_routes_that_cost_nothing_count_in_the_minute_and_open_nothing() -> None:
    purse = Purse(rpm=3)
    admitted = purse.run(purse.budget.prove(purse.key, FAST))
    assert admitted.limits.requests_left == 2
    assert purse.row.open == {}


def test_several_jobs_are_reserved_in_one_write_and_settled_in_one() -> None:
    purse = Purse(budget=1_000, rpm=50)
    held = purse.reserve(500, calls=50, key=purse.key.id)
    with pytest.raises(TooMany, match="this request would be more"):
        purse.reserve(1)
    purse.settle(held, 120)
    assert purse.cloud.dynamo.calls == 3
    assert purse.row.use()["20261123"]["claude-haiku-5-5"] == {"calls": 50, "cost": 120}


def test_a_batch_is_settled_by_its_record_however_late_and_from_another_process() -> None:
    purse = Purse(budget=1_000)
    id = new_id(purse.now, batch=True)
    held = purse.reserve(600, id=id, key=purse.key.id)
    record = held.to_json()
    purse.now += dt.timedelta(days=9)
    purse.run(purse.budget.settle(Reservation.from_json(record), Spent(FAST, 300)))
    assert (purse.row.left(MONTH), purse.row.open) == (700, {})


def test_who_asks_again_with_the_same_id_has_what_it_took_the_first_time() -> None:
    purse = Purse(budget=1_000)
    id = new_id(purse.now)
    assert purse.reserve(600, id=id) == purse.reserve(600, id=id)
    assert purse.row.left(MONTH) == 400


def test_an_id_from_before_midnight_is_charged_to_its_own_month() -> None:
    purse = Purse(budget=1_000)
    id, purse.now = new_id(NOVEMBER), DECEMBER
    held = purse.reserve(600, id=id)
    assert (held.month, purse.row.left(MONTH)) == (MONTH, 400)
    purse.settle(held, 0)
    assert purse.row.left(MONTH) == 1_000


REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], type[KitError]]] = {
    "another key": ({"key_1": {"S": "somebody else's"}}, {}, NotAuthenticated),
    "disabled": ({"disabled": {"BOOL": True}}, {}, NotAllowed),
    "stopped": ({"stopped": {"BOOL": True}}, {}, Stopped),
    "another model": ({}, {"model": DEEP}, NotAllowed),
    "an extra that is not allowed": ({}, {"needs": frozenset({"speed"})}, InvalidRequest),
    "one of two": (
        {"extras": {"SS": ["speed"]}},
        {"needs": frozenset({"speed", "web_search"})},
        InvalidRequest,
    ),
    "the minute": ({"rpm": 0}, {}, TooMany),
}


@pytest.mark.parametrize("why", REFUSED)
def test_who_may_not_call_is_told_why_and_pays_nothing(why: str) -> None:
    change, asked, error = REFUSED[why]
    purse = Purse(**change)
    before = dict(purse.row.item)
    with pytest.raises(error):
        purse.reserve(1, **asked)
    model, needs = asked.get("model", FAST), asked.get("needs", frozenset())
    with pytest.raises(error):
        purse.run(purse.budget.prove(purse.key, model, needs))
    assert purse.row.item == before


def test_a_client_that_was_proved_before_needs_no_key_and_may_be_stopped_all_the_same() -> None:
    purse = Purse()
    purse.reserve(1, key=purse.key.id)
    purse.change(stopped={"BOOL": True})
    with pytest.raises(Stopped, match="kit budget resume"):
        purse.reserve(1, key=purse.key.id)


def test_a_key_that_nobody_has_makes_no_row() -> None:
    purse, stranger = Purse(), ClientKey.parse(new_key())
    with pytest.raises(NotAuthenticated):
        purse.reserve(1, key=stranger)
    with pytest.raises(NotAuthenticated):
        purse.run(purse.budget.prove(stranger))
    assert list(purse.clients.items) == [purse.key.id]


def test_both_keys_of_a_rotating_client_are_one_budget() -> None:
    purse = Purse(budget=1_000)
    new = ClientKey.parse(new_key(purse.key.id))
    purse.change(key_2={"S": new.sha256})
    purse.reserve(600)
    with pytest.raises(OverBudget):
        purse.reserve(600, key=new)


def test_a_model_may_be_allowed_by_its_id_alone_and_an_extra_by_its_name() -> None:
    purse = Purse(models={"SS": [DEEP.id]}, extras={"SS": ["speed"]})
    purse.reserve(1, model=DEEP, needs=frozenset({"speed"}))


def test_over_budget_says_which_budget_how_it_stands_and_when_it_resets() -> None:
    purse = Purse(budget=20_000_000_000)
    purse.settle(purse.reserve(12_000_000_000), 12_000_000_000)
    purse.reserve(5_000_000_000)
    with pytest.raises(OverBudget) as refused:
        purse.reserve(3_500_000_000)
    err = refused.value
    assert err.message == (
        "monthly budget of shop: limit $20.00, spent $12.00, reserved for open calls $5.00, and "
        "this call may cost $3.50; resets 2026-12-01 00:00 UTC"
    )
    assert err.to_json("r")["error"]["budget"] == {
        "name": "monthly budget of shop",
        "limit_usd": 20.0,
        "spent_usd": 12.0,
        "reserved_usd": 5.0,
        "call_may_cost_usd": 3.5,
        "resets_at": "2026-12-01T00:00:00Z",
    }


@pytest.mark.parametrize(("spent", "helps"), [(12, True), (18, False)])
def test_waiting_is_advised_only_where_open_calls_may_give_enough_back(
    spent: int, helps: bool
) -> None:
    purse = Purse(budget=20)
    purse.settle(purse.reserve(spent), spent)
    purse.reserve(20 - spent)
    with pytest.raises(OverBudget) as refused:
        purse.reserve(5)
    headers = refused.value.to_headers("r")
    assert ("retry-after" in headers) is helps
    assert headers["x-should-retry"] == ("true" if helps else "false")


def test_too_fast_says_the_limit_and_how_long_to_wait() -> None:
    purse = Purse(rpm=1)
    purse.now = NOVEMBER + dt.timedelta(seconds=20)
    purse.reserve(1)
    with pytest.raises(TooMany) as refused:
        purse.reserve(1)
    headers = refused.value.to_headers("r")
    assert (headers["retry-after"], headers["x-should-retry"]) == ("40", "true")
    assert headers["anthropic-ratelimit-requests-remaining"] == "0"
    assert refused.value.budget == {
        "name": "requests per minute of shop",
        "limit": 1,
        "spent": 1,
        "resets_at": "2026-11-23T12:01:00Z",
    }


def test_the_clients_own_limits_are_told_with_every_admission_and_refusal() -> None:
    purse = Purse(budget=10**9, rpm=60)
    assert purse.admit(4 * 10**8).limits.to_headers() == {
        "anthropic-ratelimit-requests-limit": "60",
        "anthropic-ratelimit-requests-remaining": "59",
        "anthropic-ratelimit-requests-reset": "2026-11-23T12:01:00Z",
        "anthropic-ratelimit-budget-limit": "1.000000",
        "anthropic-ratelimit-budget-remaining": "0.600000",
        "anthropic-ratelimit-budget-reset": "2026-12-01T00:00:00Z",
    }
    with pytest.raises(OverBudget) as refused:
        purse.reserve(10**9)
    assert refused.value.limits
    assert refused.value.limits.budget_left == 6 * 10**8


def test_a_throttled_table_refuses_the_call_instead_of_letting_it_pass() -> None:
    purse = Purse()
    purse.cloud.around = losing(lambda action: "before")
    with pytest.raises(AwsUnreachable) as refused:
        purse.reserve(1)
    assert (refused.value.status, refused.value.type) == (503, "overloaded_error")
    assert refused.value.retry_after_s


def test_minutes_and_months_that_are_over_leave_the_row_but_not_before_every_clock_says_so() -> (
    None
):
    old = ("minute_202611231155", "left_2026_09", "spent_2026_09", "warned_2026_09")
    new = ("minute_202611231158", "left_2026_10", "spent_2026_10", "warned_2026_10")
    purse = Purse()
    purse.change(**{name: {"N": "5"} for name in old + new})
    purse.settle(purse.reserve(1), 1)
    assert not set(old) & purse.row.item.keys()
    assert set(new) < purse.row.item.keys()


def test_a_call_takes_two_writes_and_one_unit_each() -> None:
    purse = Purse(budget=10**9)
    usage = Usage(input_tokens=900, output_tokens=200, cache_read_tokens=50)
    for _ in range(100):
        purse.settle(purse.reserve(10), 5, usage)
    assert (purse.cloud.dynamo.calls, purse.clients.units) == (200, 200)


def test_a_caller_that_leaves_while_its_money_is_taken_pays_nothing() -> None:
    purse = Purse(budget=1_000)
    writing, written = asyncio.Event(), asyncio.Event()

    async def slow(service: str, action: str, payload: dict[str, Any], do: Do) -> Any:
        answer = await do()
        writing.set()
        await written.wait()
        return answer

    async def leave() -> None:
        purse.cloud.around = slow
        reserving = asyncio.create_task(purse.budget.reserve(purse.key, FAST, 900))
        await writing.wait()
        reserving.cancel()
        await asyncio.wait({reserving})
        assert purse.row.left(MONTH) == 100
        written.set()
        await asyncio.gather(*purse.budget._undoing)

    asyncio.run(leave())
    assert (purse.row.left(MONTH), purse.row.open) == (1_000, {})
