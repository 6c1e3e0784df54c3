"""Money is taken before it is spent, given back once, and never out of thin air."""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest

from claude_core.aws import Aws
from claude_core.budget import OPEN_LIMIT, Budget
from claude_core.clients import ClientKey, new_key
from claude_core.errors import AwsUnreachable, NotAllowed, NotAuthenticated, OverBudget
from claude_core.models import resolve
from tests.doubles import AwsDouble, http

FAST, DEEP = resolve("fast"), resolve("deep")
NOVEMBER = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
MONTH = "spend_2026_11"


T = TypeVar("T")


def run(aws: AwsDouble, do: Callable[[Budget], Awaitable[T]], now: dt.datetime = NOVEMBER) -> T:
    async def inner() -> T:
        async with http() as client:
            return await do(Budget(Aws(client, aws.runtime), "clients", now=lambda: now))

    return asyncio.run(inner())


def test_a_reservation_takes_the_worst_cost_and_settling_gives_back_the_rest(
    aws: AwsDouble,
) -> None:
    aws.clients_table()
    _, key = aws.add_client(budget=1_000)

    async def spend(budget: Budget) -> None:
        held = await budget.reserve(key, FAST, 600)
        assert aws.row(key)[MONTH] == "400"
        await budget.settle(held, 50)

    run(aws, spend)
    assert aws.row(key)[MONTH] == "950"
    assert aws.row(key)["open"] == {}


def test_settling_twice_gives_back_once_so_that_a_retry_invents_no_money(aws: AwsDouble) -> None:
    aws.clients_table()
    _, key = aws.add_client(budget=1_000)

    async def spend(budget: Budget) -> None:
        held = await budget.reserve(key, FAST, 600)
        for _ in range(3):
            await budget.settle(held, 100)

    run(aws, spend)
    assert aws.row(key)[MONTH] == "900"


def test_a_reservation_that_nobody_settles_stays_charged(aws: AwsDouble) -> None:
    aws.clients_table()
    _, key = aws.add_client(budget=1_000)
    held = run(aws, lambda budget: budget.reserve(key, FAST, 600))
    assert aws.row(key)[MONTH] == "400"
    assert held.id in aws.row(key)["open"]


def test_ten_calls_fit_a_budget_of_ten_however_many_race_for_it(aws: AwsDouble) -> None:
    aws.clients_table()
    _, key = aws.add_client(budget=1_000)

    async def race(budget: Budget) -> list[object]:
        calls = [budget.reserve(key, FAST, 100) for _ in range(40)]
        return list(await asyncio.gather(*calls, return_exceptions=True))

    results = run(aws, race)
    refused = [result for result in results if isinstance(result, OverBudget)]
    assert len(results) - len(refused) == 10
    assert aws.row(key)[MONTH] == "0"


def test_a_new_month_starts_with_the_whole_budget(aws: AwsDouble) -> None:
    aws.clients_table()
    _, key = aws.add_client(budget=1_000)
    run(aws, lambda budget: budget.reserve(key, FAST, 1_000))
    with pytest.raises(OverBudget):
        run(aws, lambda budget: budget.reserve(key, FAST, 1))
    december = dt.datetime(2026, 12, 1, tzinfo=dt.UTC)
    run(aws, lambda budget: budget.reserve(key, FAST, 1), now=december)
    assert aws.row(key)["spend_2026_12"] == "999"


def test_a_settlement_after_midnight_goes_to_the_month_that_was_charged(aws: AwsDouble) -> None:
    aws.clients_table()
    _, key = aws.add_client(budget=1_000)
    held = run(aws, lambda budget: budget.reserve(key, FAST, 600))
    december = dt.datetime(2026, 12, 1, tzinfo=dt.UTC)
    run(aws, lambda budget: budget.settle(held, 0), now=december)
    assert aws.row(key)[MONTH] == "1000"
    assert "spend_2026_12" not in aws.row(key)


def test_over_budget_says_how_much_is_left_and_when_it_resets(aws: AwsDouble) -> None:
    aws.clients_table()
    _, key = aws.add_client(budget=20_000_000_000)
    with pytest.raises(OverBudget) as refused:
        run(aws, lambda budget: budget.reserve(key, FAST, 20_500_000_000))
    said = refused.value.message
    assert "$20.5000" in said
    assert "$20.0000 of $20.00 is left" in said
    assert "2026-12-01" in said


def test_a_client_with_too_many_open_calls_waits_since_its_row_has_an_end(aws: AwsDouble) -> None:
    aws.clients_table()
    note = {"M": {"cost": {"N": "1"}, "at": {"N": "1"}}}
    full = {"M": {f"id{at}": note for at in range(OPEN_LIMIT)}}
    _, key = aws.add_client(open=full)
    with pytest.raises(OverBudget, match="calls open"):
        run(aws, lambda budget: budget.reserve(key, FAST, 1))


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"disabled": {"BOOL": True}}, NotAllowed),
        ({"key_1": {"S": "somebody else's"}}, NotAuthenticated),
        ({"models": {"SS": ["balanced"]}}, NotAllowed),
    ],
)
def test_who_may_not_call_is_told_why_and_pays_nothing(
    aws: AwsDouble, change: dict[str, Any], error: type[Exception]
) -> None:
    aws.clients_table()
    _, key = aws.add_client(budget=1_000, **change)
    with pytest.raises(error):
        run(aws, lambda budget: budget.reserve(key, FAST, 1))
    with pytest.raises(error):
        run(aws, lambda budget: budget.prove(key, FAST))
    assert MONTH not in aws.row(key)


def test_a_key_that_nobody_has_makes_no_row(aws: AwsDouble) -> None:
    aws.clients_table()
    stranger = ClientKey.parse(new_key())
    with pytest.raises(NotAuthenticated):
        run(aws, lambda budget: budget.reserve(stranger, FAST, 1))
    with pytest.raises(NotAuthenticated):
        run(aws, lambda budget: budget.prove(stranger))
    assert aws.boto("dynamodb").scan(TableName="clients")["Count"] == 0


def test_both_keys_of_a_rotating_client_are_one_budget(aws: AwsDouble) -> None:
    aws.clients_table()
    _, old = aws.add_client(budget=1_000)
    new = ClientKey.parse(new_key(old.id))
    aws.boto("dynamodb").update_item(
        TableName="clients",
        Key={"id": {"S": old.id}},
        UpdateExpression="SET key_2 = :new",
        ExpressionAttributeValues={":new": {"S": new.sha256}},
    )
    run(aws, lambda budget: budget.reserve(old, FAST, 600))
    with pytest.raises(OverBudget):
        run(aws, lambda budget: budget.reserve(new, FAST, 600))


def test_a_model_may_be_allowed_by_its_id_alone(aws: AwsDouble) -> None:
    aws.clients_table()
    _, key = aws.add_client(models=(DEEP.id,))
    run(aws, lambda budget: budget.reserve(key, DEEP, 1))


THROTTLED = (400, {"__type": "x#ProvisionedThroughputExceededException", "message": "slow"})


def test_a_throttled_table_refuses_the_call_instead_of_letting_it_pass(aws: AwsDouble) -> None:
    aws.clients_table()
    _, key = aws.add_client()
    aws.broken = lambda action: THROTTLED
    with pytest.raises(AwsUnreachable) as refused:
        run(aws, lambda budget: budget.reserve(key, FAST, 1))
    assert (refused.value.status, refused.value.type) == (503, "overloaded_error")
    assert refused.value.retry_after_s
    assert aws.count("dynamodb:UpdateItem") == 2


def test_a_lost_answer_is_not_charged_twice_when_the_write_is_tried_again(aws: AwsDouble) -> None:
    aws.clients_table()
    _, key = aws.add_client(budget=1_000)
    real: dict[str, dict[str, Any]] = {}

    def lose_the_first(action: str) -> tuple[int, dict[str, object]] | None:
        if action == "dynamodb:UpdateItem" and not real:
            real["sent"] = aws.calls[-1][2]
            aws.boto("dynamodb").update_item(
                **{
                    name: value
                    for name, value in real["sent"].items()
                    if name != "ReturnValuesOnConditionCheckFailure"
                }
            )
            return 500, {"__type": "InternalServerError", "message": "lost"}
        return None

    aws.broken = lose_the_first
    held = run(aws, lambda budget: budget.reserve(key, FAST, 100))
    assert aws.row(key)[MONTH] == "900"
    assert list(aws.row(key)["open"]) == [held.id]
