"""Reads: keys, ranges of them, pages, and what is shown."""

from typing import Any

import pytest

from tests.cloud.keys import Keys
from tests.cloud.store import KEY, Store


def lines(*sorts: str) -> Store:
    store = Store(Keys("id", "line"))
    for sort in sorts:
        store.table.add({**KEY, "line": {"S": sort}, "v": {"S": f"v{sort}"}})
    store.table.add({"id": {"S": "b"}, "line": {"S": "m"}})
    return store


def sorts(page: dict[str, Any]) -> list[str]:
    return [one["line"]["S"] for one in page["Items"]]


RANGES: list[tuple[str, dict[str, Any], list[str]]] = [
    ("line = :x", {"x": "b"}, ["b"]),
    ("line < :x", {"x": "b"}, ["a", "ab"]),
    ("line <= :x", {"x": "b"}, ["a", "ab", "b"]),
    ("line > :x", {"x": "b"}, ["ba", "c", "é"]),
    ("line >= :x", {"x": "b"}, ["b", "ba", "c", "é"]),
    ("line BETWEEN :x AND :y", {"x": "ab", "y": "b"}, ["ab", "b"]),
    ("begins_with(line, :x)", {"x": "b"}, ["b", "ba"]),
    ("begins_with(line, :x)", {"x": "z"}, []),
]


@pytest.mark.parametrize(("text", "values", "found"), RANGES)
def test_a_range_of_sort_keys(text: str, values: dict[str, Any], found: list[str]) -> None:
    store = lines("a", "ab", "b", "ba", "c", "é")
    values = {"id": "a", **values}
    page = store.query(f"id = :id AND {text}", values=values)
    assert sorts(page) == found
    assert (page["Count"], page["ScannedCount"]) == (len(found), len(found))
    assert "LastEvaluatedKey" not in page
    backward = store.query(f"{text} AND id = :id", values=values, ScanIndexForward=False)
    assert sorts(backward) == found[::-1]


@pytest.mark.parametrize("forward", [True, False])
def test_pages_follow_each_other_whatever_is_written_between_them(forward: bool) -> None:
    store = lines(*"abcdef")
    asked: dict[str, Any] = {"values": {"id": "a"}, "Limit": 2, "ScanIndexForward": forward}
    first = store.query("id = :id", **asked)
    start = first["LastEvaluatedKey"]
    assert start.keys() == {"id", "line"}
    store.do("DeleteItem", Key=start)
    second = store.query("id = :id", **asked, ExclusiveStartKey=start)
    third = store.query("id = :id", **asked, ExclusiveStartKey=second["LastEvaluatedKey"])
    order = list("abcdef") if forward else list("fedcba")
    assert sorts(first) + sorts(second) + sorts(third) == order
    # A limit that is just met says that there may be more; only an empty page says that not.
    last = store.query("id = :id", **asked, ExclusiveStartKey=third["LastEvaluatedKey"])
    assert last == {"Items": [], "Count": 0, "ScannedCount": 0}


def test_a_page_ends_at_one_mebibyte() -> None:
    store = Store(Keys("id", "line"))
    for at in range(9):
        store.table.add({**KEY, "line": {"S": str(at)}, "v": {"S": "x" * 300_000}})
    counts: list[int] = []
    asked: dict[str, Any] = {"values": {"id": "a"}}
    while True:
        page = store.query("id = :id", **asked)
        counts.append(page["Count"])
        if "LastEvaluatedKey" not in page:
            break
        asked["ExclusiveStartKey"] = page["LastEvaluatedKey"]
    assert counts == [3, 3, 3]


def test_a_filter_counts_after_the_limit_and_knows_no_keys() -> None:
    store = lines(*"abcd")
    asked: dict[str, Any] = {"values": {"id": "a", "v": "vd"}, "FilterExpression": "v = :v"}
    page = store.query("id = :id", Limit=2, **asked)
    assert (page["Count"], page["ScannedCount"], page["Items"]) == (0, 2, [])
    assert page["LastEvaluatedKey"]["line"] == {"S": "b"}
    assert sorts(store.query("id = :id", **asked)) == ["d"]
    asked["FilterExpression"] = "line = :v"
    store.mistaken(
        "Query",
        KeyConditionExpression="id = :id",
        FilterExpression="line = :v",
        ExpressionAttributeValues={":id": {"S": "a"}, ":v": {"S": "a"}},
    )


def test_a_projection_shows_places_and_a_count_shows_none() -> None:
    store = Store(Keys("id", "line"))
    item = {**KEY, "line": {"S": "a"}, "m": {"M": {"x": {"N": "1"}, "y": {"N": "2"}}}}
    store.table.add(item)
    asked: dict[str, Any] = {"ProjectionExpression": "#l, m.y, nothing", "names": {"l": "line"}}
    found = [{"line": {"S": "a"}, "m": {"M": {"y": {"N": "2"}}}}]
    assert store.query("id = :id", values={"id": "a"}, **asked)["Items"] == found
    page = store.query("id = :id", values={"id": "a"}, Select="COUNT")
    assert page == {"Count": 1, "ScannedCount": 1}


WRONG: dict[str, dict[str, Any]] = {
    "no partition": {"KeyConditionExpression": "line = :id"},
    "a range of partitions": {"KeyConditionExpression": "id > :id"},
    "another attribute": {"KeyConditionExpression": "id = :id AND v = :id"},
    "either": {"KeyConditionExpression": "id = :id OR line = :id"},
    "not": {"KeyConditionExpression": "id = :id AND line <> :id"},
    "another type": {"ExpressionAttributeValues": {":id": {"N": "1"}}},
    "no such index": {"IndexName": "other"},
    "half a start": {"ExclusiveStartKey": KEY},
    "a limit that is text": {"Limit": "5"},
    # https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html of Select
    "a projection beside a count": {"Select": "COUNT", "ProjectionExpression": "v"},
    "a projection beside all": {"Select": "ALL_ATTRIBUTES", "ProjectionExpression": "v"},
    "what a table projects": {"Select": "ALL_PROJECTED_ATTRIBUTES"},
    # test_condition_expression.py in https://github.com/scylladb/scylladb, run against DynamoDB
    "a filter whose values fit no item, of no items": {
        "FilterExpression": "v < :flag",
        "ExpressionAttributeValues": {":id": {"S": "none"}, ":flag": {"BOOL": True}},
    },
}


@pytest.mark.parametrize("what", WRONG)
def test_queries_that_no_table_would_answer(what: str) -> None:
    asked = {
        "KeyConditionExpression": "id = :id",
        "ExpressionAttributeValues": {":id": {"S": "a"}},
    }
    lines("a").mistaken("Query", **(asked | WRONG[what]))


START_OUTSIDE = [
    ("id = :id AND line > :x", "c"),
    ("id = :id AND line < :x", "d"),
    ("id = :id AND line BETWEEN :x AND :y", "f"),
    ("id = :id AND begins_with(line, :x)", "c"),
]


@pytest.mark.parametrize("forward", [True, False])
@pytest.mark.parametrize(("text", "line"), START_OUTSIDE)
def test_a_page_starts_in_the_range_that_is_asked_for(text: str, line: str, forward: bool) -> None:
    """https://github.com/architect/dynalite/blob/main/actions/query.js"""
    values = {":id": {"S": "a"}, ":x": {"S": "d"}, ":y": {"S": "e"}}
    message = lines(*"abcdef").refusal(
        "Query",
        KeyConditionExpression=text,
        ExpressionAttributeValues={name: of for name, of in values.items() if name in text},
        ExclusiveStartKey={**KEY, "line": {"S": line}},
        ScanIndexForward=forward,
    )
    assert "starting key" in message


@pytest.mark.parametrize("text", ["id = :empty", "id = :id AND line = :empty"])
def test_a_key_that_is_empty_text_is_refused(text: str) -> None:
    """Keys are not empty: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/
    HowItWorks.NamingRulesDataTypes.html"""
    values = {":id": {"S": "a"}, ":empty": {"S": ""}}
    message = lines("a").refusal(
        "Query",
        KeyConditionExpression=text,
        ExpressionAttributeValues={name: of for name, of in values.items() if name in text},
    )
    assert "empty" in message


def test_get_answers_without_an_item_for_what_is_not_there() -> None:
    assert Store().do("GetItem", Key=KEY) == {}


def test_many_keys_at_once_are_100_distinct_ones_and_16_mebibytes() -> None:
    store = Store()
    keys = [{"id": {"S": str(at)}} for at in range(60)]
    for key in keys[:50]:
        store.table.add({**key, "v": {"S": "x" * 400_000}})

    def get(wanted: list[Any]) -> dict[str, Any]:
        return store.dynamo.do("BatchGetItem", {"RequestItems": {"jobs": {"Keys": wanted}}})

    answer = get(keys)
    assert len(answer["Responses"]["jobs"]) == 41
    left = answer["UnprocessedKeys"]["jobs"]["Keys"]
    assert len(get(left)["Responses"]["jobs"]) == 9
    for wrong in ([], keys[:1] * 2, [{"id": {"S": str(at)}} for at in range(101)]):
        with pytest.raises(AssertionError):
            get(wrong)
