"""Writes: conditions, what they answer, what they cost."""

from contextlib import suppress
from typing import Any

import pytest

from claude_core.aws import AwsRefused
from tests.cloud.store import KEY, Store


def test_a_condition_that_fails_writes_nothing_and_shows_the_item_only_when_asked() -> None:
    store = Store()
    store.do("PutItem", Item={**KEY, "n": {"N": "1"}})
    new = {"ConditionExpression": "attribute_not_exists(id)"}
    for asked, shown in (({}, {}), ({"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}, KEY)):
        with pytest.raises(AwsRefused) as refused:
            store.do("PutItem", Item={**KEY, "n": {"N": "2"}}, **new, **asked)
        assert refused.value.code == "ConditionalCheckFailedException"
        assert refused.value.body.get("Item", {}) == (shown and {**KEY, "n": {"N": "1"}})
    assert store.table.items["a"]["n"] == {"N": "1"}


def test_a_condition_on_an_item_that_is_not_there_shows_none() -> None:
    store = Store()
    with pytest.raises(AwsRefused) as refused:
        store.update(
            "SET n = :n",
            values={"n": 1},
            ConditionExpression="attribute_exists(id)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    assert "Item" not in refused.value.body
    assert store.table.items == {}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("NONE", {}),
        ("ALL_OLD", {"id": {"S": "a"}, "n": {"N": "1"}, "m": {"M": {"x": {"N": "1"}}}}),
        (
            "ALL_NEW",
            {"id": {"S": "a"}, "n": {"N": "2"}, "m": {"M": {"x": {"N": "1"}, "y": {"N": "2"}}}},
        ),
        ("UPDATED_OLD", {"n": {"N": "1"}}),
        ("UPDATED_NEW", {"n": {"N": "2"}, "m": {"M": {"y": {"N": "2"}}}}),
    ],
)
def test_an_update_answers_with_what_is_asked_for(wanted: str, found: dict[str, Any]) -> None:
    store = Store()
    store.table.add({**KEY, "n": {"N": "1"}, "m": {"M": {"x": {"N": "1"}}}})
    answer = store.update("SET n = :n, m.y = :n", values={"n": 2}, ReturnValues=wanted)
    assert answer == ({"Attributes": found} if found else {})


def test_put_and_delete_answer_with_the_old_item_or_nothing() -> None:
    store = Store()
    asked = {"ReturnValues": "ALL_OLD"}
    assert store.do("PutItem", Item=KEY, **asked) == {}
    assert store.do("PutItem", Item={**KEY, "n": {"N": "1"}}, **asked) == {"Attributes": KEY}
    old = {**KEY, "n": {"N": "1"}}
    assert store.do("DeleteItem", Key=KEY, **asked) == {"Attributes": old}
    assert store.do("DeleteItem", Key=KEY, **asked) == {}
    store.mistaken("PutItem", Item=KEY, ReturnValues="ALL_NEW")


def test_every_part_of_an_update_reads_the_item_as_it_was() -> None:
    store = Store()
    store.table.add({**KEY, "x": {"N": "1"}, "y": {"N": "2"}})
    store.update("SET x = y, y = x, z = x + y")
    found = store.table.items["a"]
    assert (found["x"], found["y"], found["z"]) == ({"N": "2"}, {"N": "1"}, {"N": "3"})


def test_numbers_add_exactly_and_if_not_exists_begins_them() -> None:
    store = Store()
    for _ in range(3):
        store.update("SET n = if_not_exists(n, :zero) - :x", values={"zero": 0, "x": {"N": "0.1"}})
    store.update("ADD n :x, m :x", values={"x": {"N": "-1.7"}})
    found = store.table.items["a"]
    assert (found["n"], found["m"]) == ({"N": "-2"}, {"N": "-1.7"})


def test_sets_grow_and_shrink_and_end_with_their_last_member() -> None:
    store = Store()
    store.update("ADD tags :t", values={"t": {"SS": ["b", "a"]}})
    store.update("ADD tags :t", values={"t": {"SS": ["c", "a"]}})
    assert store.table.items["a"]["tags"] == {"SS": ["a", "b", "c"]}
    store.update("DELETE tags :t", values={"t": {"SS": ["a", "b", "z"]}})
    store.update("DELETE tags :t", values={"t": {"SS": ["c"]}})
    assert store.table.items["a"] == KEY


def test_lists_are_appended_to() -> None:
    store = Store()
    for text in "ab":
        store.update(
            "SET told = list_append(if_not_exists(told, :none), :new)",
            values={"none": {"L": []}, "new": {"L": [{"S": text}]}},
        )
    assert store.table.items["a"]["told"] == {"L": [{"S": "a"}, {"S": "b"}]}


REFUSED = {
    "an attribute that is not there": "SET n = nothing + :x",
    "a sum with text": "SET n = s + :x",
    "a place in no map": "SET nothing.a = :x",
    "a place in text": "SET s.a = :x",
    "a place removed from no map": "SET n = :x REMOVE nothing.a",
    "text that is added to": "ADD s :x",
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_an_item_does_not_allow_is_refused_and_nothing_is_written(what: str) -> None:
    store = Store()
    before = {**KEY, "s": {"S": "text"}}
    store.table.add(before)
    values = {"ExpressionAttributeValues": {":x": {"N": "1"}}}
    store.refusal("UpdateItem", Key=KEY, UpdateExpression=REFUSED[what], **values)
    assert store.table.items["a"] == before


def test_removing_what_is_not_there_is_no_error() -> None:
    store = Store()
    store.table.add({**KEY, "m": {"M": {}}})
    store.update("REMOVE m.a, b")
    assert store.table.items["a"] == {**KEY, "m": {"M": {}}}


def test_an_update_that_only_takes_away_makes_no_item() -> None:
    """https://github.com/scylladb/scylladb/issues/5862"""
    store = Store()
    asked: dict[str, Any] = {"values": {"x": {"SS": ["x"]}}, "ReturnValues": "ALL_NEW"}
    assert store.update("REMOVE a, m.a DELETE told :x", **asked) == {}
    assert store.table.items == {}


@pytest.mark.parametrize("wrong", ["SET id = :x", "SET a = :x REMOVE a.b"])
def test_places_that_no_update_may_touch_come_before_the_condition(wrong: str) -> None:
    """https://github.com/architect/dynalite/blob/main/actions/updateItem.js"""
    store, asked = Store(), {":x": {"S": "x"}}
    store.mistaken(
        "UpdateItem",
        Key=KEY,
        UpdateExpression=wrong,
        ConditionExpression="attribute_exists(nothing)",
        ExpressionAttributeValues=asked,
    )


def test_an_update_makes_the_item_that_is_not_there() -> None:
    store = Store()
    store.do("UpdateItem", Key=KEY)
    assert store.table.items["a"] == KEY


def test_a_write_costs_a_unit_for_each_kilobyte_of_the_larger_item_also_when_it_fails() -> None:
    store = Store()
    costs: list[int] = []

    def cost(action: str, **asked: Any) -> None:
        before = store.dynamo.units
        with suppress(AwsRefused):
            store.do(action, **asked)
        costs.append(store.dynamo.units - before)

    cost("PutItem", Item={**KEY, "v": {"S": "x" * 3_000}})
    cost("PutItem", Item=KEY, ConditionExpression="attribute_not_exists(id)")
    cost("UpdateItem", Key=KEY, UpdateExpression="REMOVE v")
    cost("GetItem", Key=KEY)
    cost("DeleteItem", Key=KEY)
    cost("DeleteItem", Key=KEY)
    assert costs == [3, 3, 3, 0, 1, 1]


def test_a_table_that_does_not_exist_says_so() -> None:
    with pytest.raises(AwsRefused, match="ResourceNotFoundException"):
        Store().dynamo.do("GetItem", {"TableName": "other", "Key": KEY})


def test_an_action_that_the_double_lacks_is_an_error_of_the_test() -> None:
    Store().mistaken("Scan")
