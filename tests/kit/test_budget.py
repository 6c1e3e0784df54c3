"""All clients' money together: capped, stopped, listed where it is unsettled, released by hand."""

import datetime as dt
import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from claude_core.clients import ClientKey
from claude_core.errors import NotAllowed, NotAuthenticated, OverBudget, Stopped, TooMany
from claude_core.reservation import new_id
from claude_core.row import Row, month_of
from kit import whole
from tests.doubles import AwsDouble
from tests.kit.conftest import Kit, added
from tests.spending import spend

NOW = dt.datetime.now(dt.UTC)
MONTH = month_of(NOW)


def row(aws: AwsDouble, key: str) -> Row:
    id = {"id": {"S": ClientKey.parse(key).id}}
    return Row(aws.boto("dynamodb").get_item(TableName="clients", Key=id)["Item"])


def left_behind(
    aws: AwsDouble, key: str, cost: int = 700, *, hours: int = 2, batch: bool = False
) -> str:
    """A reservation that a process took and never came back for."""
    then = NOW - dt.timedelta(hours=hours)
    id = new_id(then, batch=batch)
    aws.boto("dynamodb").update_item(
        TableName="clients",
        Key={"id": {"S": ClientKey.parse(key).id}},
        UpdateExpression="SET #open.#id = :cost, #left = if_not_exists(#left, budget) - :cost",
        ExpressionAttributeNames={"#open": "open", "#id": id, "#left": f"left_{month_of(then)}"},
        ExpressionAttributeValues={":cost": {"N": str(cost)}},
    )
    return id


def said(kit: Kit, *arguments: str, code: int = 0) -> str:
    result = kit(*arguments)
    assert result.exit_code == code, result.output
    return result.stdout + result.stderr


def test_the_cap_bounds_what_may_be_handed_out_by_add_and_by_set(kit: Kit) -> None:
    said(kit, "budget", "cap", "30")
    added(kit, "shop", "--budget", "20")
    refused = said(kit, "clients", "add", "more", "--budget", "11", code=1)
    assert "10.00 of 30.00 USD a month is left" in refused
    added(kit, "more", "--budget", "10")
    assert "0.00 of 30.00" in said(kit, "clients", "set", "shop", "--budget", "21", code=1)
    said(kit, "clients", "set", "shop", "--budget", "15")
    said(kit, "clients", "set", "more", "--budget", "15")


def test_a_cap_below_what_is_handed_out_is_refused_and_none_lifts_it(kit: Kit) -> None:
    added(kit, "shop", "--budget", "20")
    assert "$20.00 are handed out already" in said(kit, "budget", "cap", "19", code=1)
    said(kit, "budget", "cap", "20")
    said(kit, "budget", "cap", "none")
    added(kit, "more", "--budget", "1000")


@pytest.mark.parametrize("amount", ["0", "lots", "nan", "inf"])
def test_a_cap_that_is_no_amount_is_refused_in_a_sentence(kit: Kit, amount: str) -> None:
    assert amount in said(kit, "budget", "cap", amount, code=2)


def test_a_purged_client_frees_its_share_of_the_cap(kit: Kit) -> None:
    said(kit, "budget", "cap", "20")
    added(kit, "shop", "--budget", "20")
    said(kit, "clients", "purge", "shop", "--yes")
    added(kit, "more", "--budget", "20")


def test_many_who_add_at_once_do_not_hand_out_more_than_the_cap(kit: Kit, aws: AwsDouble) -> None:
    said(kit, "budget", "cap", "30")
    from kit.deployment import Deployment
    from kit.plan import Plan
    from kit.rows import Clients
    from kit.say import Stop

    clients = Clients(Deployment(env="dev", region=None, profile=None, local=True))

    def add(at: int) -> bool:
        try:
            clients.add(f"client-{at}", Plan(10.0, 60, ["fast"]))
        except Stop:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        added_ones = list(pool.map(add, range(8)))
    assert 1 <= sum(added_ones) <= 3
    assert clients.ledger.read().handed_out == sum(added_ones) * 10 * 10**9


def test_a_change_that_others_keep_overtaking_says_so(
    kit: Kit, aws: AwsDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = whole.Ledger.read

    def read_too_early(self: whole.Ledger) -> whole.Whole:
        seen = read(self)
        self.dynamodb.update_item(
            TableName=self.table,
            Key={"id": {"S": whole.ID}},
            UpdateExpression="ADD version :one",
            ExpressionAttributeValues={":one": {"N": "1"}},
        )
        return seen

    monkeypatch.setattr(whole.Ledger, "read", read_too_early)
    assert "somebody else is changing" in said(kit, "clients", "add", "shop", code=1)


def test_a_new_budget_counts_for_the_month_that_runs(kit: Kit, aws: AwsDouble) -> None:
    key = added(kit, "shop", "--budget", "1")
    spend(aws, key, 9 * 10**8)
    with pytest.raises(OverBudget):
        spend(aws, key, 5 * 10**8)
    said(kit, "clients", "set", "shop", "--budget", "2", "--rpm", "7", "--models", "fast")
    spend(aws, key, 5 * 10**8)
    found = row(aws, key)
    assert (found.left(MONTH), found.spent(MONTH)) == (6 * 10**8, 14 * 10**8)
    assert (found.rpm, found.models) == (7, ["fast"])


def test_set_without_a_change_and_with_an_impossible_one_are_refused(kit: Kit) -> None:
    added(kit)
    assert "give --budget" in said(kit, "clients", "set", "shop", code=2)
    assert "--rpm 0" in said(kit, "clients", "set", "shop", "--rpm", "0", code=2)
    assert "--budget -1" in said(kit, "clients", "set", "shop", "--budget", "-1", code=2)


def test_stop_refuses_every_call_at_once_and_resume_leaves_the_disabled_as_they_were(
    kit: Kit, aws: AwsDouble
) -> None:
    keys = [added(kit, name) for name in ("a", "b", "c")]
    said(kit, "clients", "disable", "c")
    assert "3 clients" in said(kit, "budget", "stop")
    late = added(kit, "late")
    for key in (*keys[:2], late):
        with pytest.raises(Stopped):
            spend(aws, key, 1)
    assert "all calls are stopped" in said(kit, "budget", "show")
    assert json.loads(said(kit, "budget", "show", "--json"))["stopped"] is True
    said(kit, "budget", "resume")
    for key in (*keys[:2], late):
        spend(aws, key, 1)
    assert row(aws, keys[2]).flag("disabled")


def test_show_adds_up_what_all_clients_have_spent_and_reserved(kit: Kit, aws: AwsDouble) -> None:
    one, other = added(kit, "one", "--budget", "5"), added(kit, "other", "--budget", "7")
    spend(aws, one, 2 * 10**9)
    spend(aws, other, None, reserve=3 * 10**9)
    assert json.loads(said(kit, "budget", "show", "--json")) == {
        "cap_usd": None,
        "handed_out_usd": 12.0,
        "spent_usd": 2.0,
        "reserved_usd": 3.0,
        "clients": 2,
        "stopped": False,
    }
    assert "$12.00 a month to 2 clients" in said(kit, "budget", "show")


def test_what_nobody_settled_is_listed_with_its_age_and_what_it_is(
    kit: Kit, aws: AwsDouble
) -> None:
    key = added(kit)
    old, batch = left_behind(aws, key), left_behind(aws, key, batch=True, hours=20)
    new = spend(aws, key, None).id
    listed: list[dict[str, Any]] = json.loads(said(kit, "budget", "unsettled", "--json"))
    states = {one["id"]: one["state"] for one in listed}
    assert states == {
        batch: "a batch; its record settles it",
        old: "left behind",
        new: "on its way",
    }
    assert [one["id"] for one in listed] == [batch, old, new]
    assert re.search(r"2 h \d+ min ago", said(kit, "budget", "unsettled"))


def test_release_gives_the_money_back_to_its_month_once(kit: Kit, aws: AwsDouble) -> None:
    key = added(kit, "shop", "--budget", "1")
    id = left_behind(aws, key, 700)
    assert "released 1, $0.000001" in said(kit, "budget", "release", id)
    assert (row(aws, key).left(MONTH), row(aws, key).open) == (10**9, {})
    assert "is not open" in said(kit, "budget", "release", id, code=1)


def test_release_all_takes_what_was_left_behind_and_neither_calls_nor_batches(
    kit: Kit, aws: AwsDouble
) -> None:
    key = added(kit)
    for _ in range(3):
        left_behind(aws, key)
    kept = {left_behind(aws, key, batch=True), spend(aws, key, None).id}
    assert "released 3" in said(kit, "budget", "release", "--all")
    assert set(row(aws, key).open) == kept


def test_what_may_yet_be_settled_is_released_by_force_alone(kit: Kit, aws: AwsDouble) -> None:
    key = added(kit)
    held = spend(aws, key, None)
    assert "is on its way" in said(kit, "budget", "release", held.id, code=1)
    said(kit, "budget", "release", held.id, "--force")
    assert row(aws, key).open == {}


def test_release_of_nothing_and_of_everything_at_once_is_refused(kit: Kit) -> None:
    assert "name reservations" in said(kit, "budget", "release", code=2)
    assert "name reservations" in said(kit, "budget", "release", "x", "--all", code=2)
    assert "everything is settled" in said(kit, "budget", "unsettled")


def test_purge_erases_keys_budget_and_history_and_asks_first(kit: Kit, aws: AwsDouble) -> None:
    key = added(kit)
    for days in (5, 4, 0):
        spend(aws, key, 10, now=NOW - dt.timedelta(days=days))
    client = ClientKey.parse(key).id
    kept = {
        "KeyConditionExpression": "client = :id",
        "ExpressionAttributeValues": {":id": {"S": client}},
    }
    history = aws.boto("dynamodb").query(TableName="history", **kept)
    assert history["Count"] == 2
    refused = kit("clients", "purge", "shop", words="n\n")
    assert refused.exit_code == 1
    assert "3 days of its history" in said(kit, "clients", "purge", "shop", "--yes")
    assert aws.boto("dynamodb").query(TableName="history", **kept)["Count"] == 0
    with pytest.raises(NotAuthenticated):
        spend(aws, key, 1)
    assert "no client 'shop'" in said(kit, "clients", "purge", "shop", code=1)


def test_purge_erases_what_was_said_in_the_chat_and_nobody_elses(
    kit: Kit, aws: AwsDouble, outputs: Path
) -> None:
    key, other = added(kit, "shop"), added(kit, "other")
    written = json.loads(outputs.read_text())
    table = aws.conversations_table()
    written["WebsocketStack"] = {"ConversationsTableName": table}
    outputs.write_text(json.dumps(written))
    for client in (ClientKey.parse(key).id, ClientKey.parse(other).id):
        for turn in ("00000001-a", "00000002-b"):
            item = {"id": {"S": f"{client}#c1"}, "turn": {"S": turn}, "said": {"S": "{}"}}
            aws.boto("dynamodb").put_item(TableName=table, Item=item)
    said(kit, "clients", "purge", "shop", "--yes")
    left = aws.boto("dynamodb").scan(TableName=table)["Items"]
    assert {item["id"]["S"] for item in left} == {f"{ClientKey.parse(other).id}#c1"}


def test_purge_refuses_while_calls_are_open_and_lets_none_begin_until_it_is_forced(
    kit: Kit, aws: AwsDouble
) -> None:
    key = added(kit)
    spend(aws, key, None)
    assert "1 reservations open" in said(kit, "clients", "purge", "shop", "--yes", code=1)
    with pytest.raises(NotAllowed):
        spend(aws, key, 1)
    said(kit, "clients", "purge", "shop", "--yes", "--force")
    assert "no clients yet" in said(kit, "clients", "list")


def test_a_raised_budget_warns_anew_from_where_it_stands(kit: Kit, aws: AwsDouble) -> None:
    key = added(kit, "shop", "--budget", "1")
    for _ in range(10):
        spend(aws, key, 10**8)
    said(kit, "clients", "set", "shop", "--budget", "1.5")
    assert row(aws, key).number(f"warned_{MONTH}") == 50
    said(kit, "clients", "set", "shop", "--budget", "100")
    assert row(aws, key).number(f"warned_{MONTH}") == 0


def test_a_month_that_a_faster_clock_has_begun_gets_the_new_budget_too(
    kit: Kit, aws: AwsDouble
) -> None:
    key = added(kit, "shop", "--budget", "1")
    soon = (NOW.replace(day=1) + dt.timedelta(days=32)).replace(day=1)
    spend(aws, key, 10**8, now=soon)
    said(kit, "clients", "set", "shop", "--budget", "3")
    found = row(aws, key)
    assert (found.left(MONTH), found.left(month_of(soon))) == (3 * 10**9, 29 * 10**8)


def test_a_new_rate_holds_in_the_minute_that_runs(kit: Kit, aws: AwsDouble) -> None:
    key = added(kit, "shop", "--rpm", "60")
    then = dt.datetime.now(dt.UTC)
    spend(aws, key, 1, now=then)
    said(kit, "clients", "set", "shop", "--rpm", "1")
    spend(aws, key, 1, now=then)
    with pytest.raises(TooMany):
        spend(aws, key, 1, now=then)


def test_a_cap_is_checked_against_what_is_handed_out_when_it_is_written(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    added(kit, "shop", "--budget", "15")
    read = whole.Ledger.read
    late: list[bool] = []

    def read_and_be_overtaken(self: whole.Ledger) -> whole.Whole:
        seen = read(self)
        if not late:
            late.append(True)
            added(kit, "late", "--budget", "15")
        return seen

    monkeypatch.setattr(whole.Ledger, "read", read_and_be_overtaken)
    assert "$30.00 are handed out already" in said(kit, "budget", "cap", "20", code=1)


def test_an_extra_is_allowed_by_name_says_how_it_is_priced_and_is_taken_back(
    kit: Kit, aws: AwsDouble
) -> None:
    key = added(kit)
    assert "10 USD a thousand" in said(kit, "clients", "allow", "shop", "web_search")
    assert "the dearest that is known" in said(kit, "clients", "allow", "shop", "brand_new")
    assert row(aws, key).extras == ["brand_new", "web_search"]
    assert "may use brand_new web_search" in " ".join(said(kit, "clients", "list").split())
    said(kit, "clients", "allow", "shop", "web_search", "--off")
    assert row(aws, key).extras == ["brand_new"]


@pytest.mark.parametrize(
    ("field", "says"),
    [
        ("temperature", "it cannot be allowed"),
        ("container", "priced by the hour"),
        ("websearch", "did you mean web_search"),
        ("Speed!", "no field of the Messages API"),
    ],
)
def test_what_cannot_be_allowed_says_why(kit: Kit, field: str, says: str) -> None:
    added(kit)
    assert says in said(kit, "clients", "allow", "shop", field, code=2)
