"""Expressions: what DynamoDB would not parse is an error of the test, not an answer."""

import re
from typing import Any

import pytest

from tests.cloud.refusing import Mistake
from tests.cloud.store import KEY, Store

WRONG: dict[str, dict[str, Any]] = {
    "a reserved word": {"UpdateExpression": "SET status = :x"},
    "a reserved word written small": {"UpdateExpression": "SET Name = :x"},
    "a name that is not defined": {"UpdateExpression": "SET #a = :x"},
    "a value that is not defined": {"UpdateExpression": "SET a = :y"},
    "a value that is not used": {"UpdateExpression": "REMOVE a"},
    "no clause": {"UpdateExpression": "a = :x"},
    "a clause twice": {"UpdateExpression": "SET a = :x SET b = :x"},
    "a sum of three": {"UpdateExpression": "SET a = b + c + :x"},
    "two paths that are the same": {"UpdateExpression": "SET a = :x REMOVE a"},
    "two paths of which one holds the other": {"UpdateExpression": "SET a.b = :x, a.b.c = :x"},
    "a comma too much": {"UpdateExpression": "SET a = :x,"},
    "no word at all": {"UpdateExpression": "", "ExpressionAttributeValues": {":x": {"S": "x"}}},
    "ADD in a map": {"UpdateExpression": "ADD a.b :x"},
    "the key": {"UpdateExpression": "SET id = :x"},
    "more than 4 KB": {"UpdateExpression": f"SET {'a' * 4_090} = :x"},
    "a condition on a reserved word": {
        "UpdateExpression": "SET a = :x",
        "ConditionExpression": "attribute_exists(data)",
    },
    "a condition with a word too much": {
        "UpdateExpression": "SET a = :x",
        "ConditionExpression": "a = b c",
    },
    "parentheses twice": {
        "UpdateExpression": "SET a = :x",
        "ConditionExpression": "((a = b)) AND c = d",
    },
    "a function that is none": {
        "UpdateExpression": "SET a = :x",
        "ConditionExpression": "exists(a)",
    },
    "if_not_exists in a condition": {
        "UpdateExpression": "SET a = :x",
        "ConditionExpression": "if_not_exists(a, :x) = :x",
    },
    "more than 300 operators": {
        "UpdateExpression": "SET a = :x",
        "ConditionExpression": " OR ".join("a = b" for _ in range(151)),
    },
    "an order of flags": {
        "UpdateExpression": "SET a = :x",
        "ConditionExpression": ":f < :g",
        "ExpressionAttributeValues": {
            ":x": {"S": "x"},
            ":f": {"BOOL": True},
            ":g": {"BOOL": False},
        },
    },
    "values that are none": {"UpdateExpression": "REMOVE a", "ExpressionAttributeValues": {}},
    "a parameter that is none": {"UpdateExpression": "SET a = :x", "ReturnValue": "ALL_NEW"},
    "a ReturnValues that is none": {"UpdateExpression": "SET a = :x", "ReturnValues": "NEW"},
}


@pytest.mark.parametrize("what", WRONG)
def test_what_no_item_would_allow_is_an_error_of_the_test(what: str) -> None:
    values = {"ExpressionAttributeValues": {":x": {"S": "x"}}}
    with pytest.raises(Mistake):
        Store().do("UpdateItem", Key=KEY, **(values | WRONG[what]))


ITEM: dict[str, Any] = {
    **KEY,
    "n": {"N": "5"},
    "s": {"S": "hello"},
    "set": {"SS": ["x", "y"]},
    "map": {"M": {"in": {"N": "1"}, "deep": {"M": {"er": {"S": "z"}}}}},
    "list": {"L": [{"N": "1"}, {"S": "x"}]},
    "flag": {"BOOL": True},
}
CONDITIONS = [
    ("attribute_exists(n)", True),
    ("attribute_exists(nothing)", False),
    ("attribute_not_exists(map.nothing)", True),
    ("attribute_exists(map.deep.er)", True),
    ("attribute_type(s, :s)", True),
    ("n = :five AND NOT n = :s", True),
    ("n <> :five", False),
    ("nothing <> :five", True),
    ("nothing = :five OR nothing < :five", False),
    ("n < :ten", True),
    ("n >= :five AND n <= :five", True),
    ("s > :five", False),
    ("n BETWEEN :five AND :ten", True),
    ("n IN (:s, :five)", True),
    ("s IN (:five, :ten)", False),
    ("begins_with(s, :he)", True),
    ("contains(s, :he)", True),
    ("contains(#set, :x)", True),
    ("contains(#set, :he)", False),
    ("contains(#list, :x)", True),
    ("contains(n, :five)", False),
    ("size(s) = :five", True),
    ("size(#map) < :five", True),
    ("size(nothing) < :five", False),
    ("(n = :ten OR n = :five) AND (flag = :true)", True),
    ("n = :ten OR n = :ten AND n = :five", False),
    ("not n = :ten and attribute_exists(s)", True),
    ("map.deep.er = :z", True),
]


@pytest.mark.parametrize(("text", "holds"), CONDITIONS)
def test_conditions(text: str, holds: bool) -> None:
    store = Store()
    store.table.add(ITEM)
    text = text.replace("map.", "#map.")
    values = {"five": 5, "ten": 10, "s": "S", "he": "he", "x": "x", "z": "z", "true": True}
    words = {*re.findall(r"[#:]\w+", text)}
    used = {
        "names": {name: name for name in ("set", "map", "list") if f"#{name}" in words},
        "values": {name: value for name, value in values.items() if f":{name}" in words},
    }
    assert store.holds(text, **used) is holds


def test_numbers_compare_as_numbers_however_large_and_are_not_text() -> None:
    store = Store()
    many = 12345678901234567890123456789012345678
    store.table.add({**KEY, "n": {"N": "9"}, "many": {"N": str(many)}})
    assert not store.holds("many < :x", values={"x": many})
    assert not store.holds("many = :x", values={"x": str(many)})
    assert store.holds("many < :x AND n < :ten", values={"x": many + 1, "ten": 10})


def test_an_error_in_what_need_not_be_reached_is_one_all_the_same() -> None:
    store = Store()
    store.table.add(ITEM)
    with pytest.raises(Mistake):
        store.holds("n = :five OR flag < :true", values={"five": 5, "true": True})
