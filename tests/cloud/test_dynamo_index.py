"""Global secondary indexes: what they hold, what that costs, and how old it may be."""

from typing import Any

import pytest

from tests.cloud.index import Projection
from tests.cloud.keys import Keys
from tests.cloud.store import KEY, Store

BY_STATUS = Keys("state", "since", frozenset({"since"}))
ALL, KEYS_ONLY = Projection(), Projection(keys_only=True)


def indexed(projection: Projection = ALL) -> Store:
    return Store(by_state=(BY_STATUS, projection))


def put(store: Store, id: str, **attributes: dict[str, str]) -> None:
    store.do("PutItem", Item={"id": {"S": id}, **attributes})


def waiting(store: Store, **asked: Any) -> list[str]:
    names, values = {"s": "state"}, {"s": "w"}
    page = store.query("#s = :s", names=names, values=values, IndexName="by_state", **asked)
    return [one["id"]["S"] for one in page["Items"]]


def test_an_index_holds_what_has_its_key_sorted_as_numbers_are() -> None:
    store = indexed()
    put(store, "c", state={"S": "w"}, since={"N": "10"})
    put(store, "a", state={"S": "w"}, since={"N": "9"})
    put(store, "b", state={"S": "w"}, since={"N": "9"})
    put(store, "half", state={"S": "w"})
    put(store, "other", state={"S": "done"}, since={"N": "9"})
    assert waiting(store) == ["a", "b", "c"]
    store.update("SET #s = :d", key={"id": {"S": "a"}}, names={"s": "state"}, values={"d": "done"})
    store.update("REMOVE since", key={"id": {"S": "b"}})
    assert waiting(store) == ["c"]
    store.do("DeleteItem", Key={"id": {"S": "c"}})
    assert waiting(store) == []


def test_pages_of_an_index_end_with_the_keys_of_both_also_among_equals() -> None:
    store = indexed()
    for id in "abcde":
        put(store, id, state={"S": "w"}, since={"N": "7"})
    found: list[str] = []
    asked: dict[str, Any] = {"names": {"s": "state"}, "values": {"s": "w"}, "Limit": 2}
    while True:
        page = store.query("#s = :s", IndexName="by_state", **asked)
        found += [one["id"]["S"] for one in page["Items"]]
        if "LastEvaluatedKey" not in page:
            break
        asked["ExclusiveStartKey"] = page["LastEvaluatedKey"]
        assert page["LastEvaluatedKey"].keys() == {"id", "state", "since"}
    assert found == list("abcde")


@pytest.mark.parametrize(
    ("projection", "names"),
    [
        (KEYS_ONLY, {"id", "state", "since"}),
        (Projection(include=frozenset({"v"})), {"id", "state", "since", "v"}),
        (ALL, {"id", "state", "since", "v", "w"}),
    ],
)
def test_an_index_shows_what_is_projected_and_costs_units_for_it(
    projection: Projection, names: set[str]
) -> None:
    store = indexed(projection)
    put(store, "a", state={"S": "w"}, since={"N": "1"}, v={"S": "1"}, w={"S": "1"})
    assert store.table.units == 2
    page = store.query("#s = :s", names={"s": "state"}, values={"s": "w"}, IndexName="by_state")
    assert page["Items"][0].keys() == names
    key = {"id": {"S": "a"}}
    costs = []
    for text, values in (
        ("SET w = :x", {"x": "2"}),
        ("SET v = :x", {"x": "2"}),
        ("SET since = :x", {"x": 2}),
        ("REMOVE since", {}),
    ):
        before = store.table.units
        store.update(text, key=key, values=values)
        costs.append(store.table.units - before - 1)
    # An entry that moves is deleted and put.
    assert costs == [int("w" in names), int("v" in names), 2, 1]


def test_a_key_of_an_index_has_its_type_and_is_not_empty() -> None:
    store = indexed()
    for wrong in ({"since": {"S": "1"}}, {"state": {"S": ""}}):
        store.refusal("PutItem", Item={**KEY, **wrong})
    values = {"ExpressionAttributeValues": {":x": {"S": "1"}}}
    store.refusal("UpdateItem", Key=KEY, UpdateExpression="SET since = :x", **values)


def test_an_index_gives_no_consistent_reads() -> None:
    indexed().mistaken(
        "Query",
        IndexName="by_state",
        KeyConditionExpression="#s = :s",
        ExpressionAttributeNames={"#s": "state"},
        ExpressionAttributeValues={":s": {"S": "w"}},
        ConsistentRead=True,
    )


def test_with_a_lag_indexes_and_eventual_reads_see_what_was_and_consistent_reads_what_is() -> None:
    store = indexed()
    put(store, "a", state={"S": "w"}, since={"N": "1"})
    store.dynamo.lag = lambda: 2.0
    key = {"id": {"S": "a"}}
    store.update("SET #s = :d", key=key, names={"s": "state"}, values={"d": "done"})
    put(store, "b", state={"S": "w"}, since={"N": "1"})
    for seconds, found, seen in ((0, ["a"], "w"), (1.9, ["a"], "w"), (0.1, ["b"], "done")):
        store.now += seconds
        assert waiting(store) == found
        assert store.do("GetItem", Key=key)["Item"]["state"] == {"S": seen}
        consistent = store.do("GetItem", Key=key, ConsistentRead=True)
        assert consistent["Item"]["state"] == {"S": "done"}
