"""Expressions: what DynamoDB would not parse is an error of the test, not an answer."""

import re
from typing import Any

import pytest

from tests.cloud.refusing import Mistake
from tests.cloud.store import KEY, Store, expressions

WRONG: dict[str, dict[str, Any]] = {
    "a reserved word": {"UpdateExpression": "SET status = :x"},
    "a reserved word written small": {"UpdateExpression": "SET Name = :x"},
    "a name that is not defined": {"UpdateExpression": "SET #a = :x"},
    "a value that is not defined": {"UpdateExpression": "SET a = :y"},
    "a value that is not used": {"UpdateExpression": "REMOVE a"},
    "no clause": {"UpdateExpression": "a = :x"},
    # https://github.com/aws/aws-sdk-js/issues/1691
    "a name that begins with an underscore": {"UpdateExpression": "SET _a = :x"},
    "a name that is not ASCII": {"UpdateExpression": "SET aé = :x"},
    "a clause twice": {"UpdateExpression": "SET a = :x SET b = :x"},
    "a sum of three": {"UpdateExpression": "SET a = b + c + :x"},
    "two paths that are the same": {"UpdateExpression": "SET a = :x REMOVE a"},
    "two paths of which one holds the other": {"UpdateExpression": "SET a.b = :x, a.b.c = :x"},
    "a comma too much": {"UpdateExpression": "SET a = :x,"},
    "no word at all": {"UpdateExpression": "", "ExpressionAttributeValues": {":x": {"S": "x"}}},
    # test_update_expression_function_nesting in ALTERNATOR
    "a list that is appended to twice": {
        "UpdateExpression": "SET a = list_append(list_append(:x, :x), :x)",
        "ExpressionAttributeValues": {":x": {"L": []}},
    },
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


ALTERNATOR = "https://github.com/scylladb/scylladb/blob/master/test/alternator"
"""Tests that are run against DynamoDB, too; the same have what follows, unless it says otherwise:
test_condition_expression.py."""
WRONG_CONDITIONS = [
    "a < :flag",
    "a >= :set",
    ":flag < a",
    "a BETWEEN :flag AND :flag",
    "a BETWEEN :one AND :text",  # https://github.com/ExtendDB/extenddb/issues/99
    "begins_with(a, :one)",
    "attribute_type(a, :text)",
    "attribute_type(a, :one)",
    "contains(a, a)",  # documented: Expressions.OperatorsAndFunctions.html
    # https://github.com/architect/dynalite/blob/main/db/conditionParser.pegjs
    "a = a",
    "a.b < a.b",
    "begins_with(a, a)",
]
VALUES: dict[str, Any] = {
    "flag": True,
    "one": 1,
    "two": 2,
    "text": "text",
    "set": {"SS": ["x"]},
    "bytes": {"B": "AQ=="},
}


def of_values(text: str) -> dict[str, Any]:
    """Those of `VALUES` that an expression names."""
    return {name: value for name, value in VALUES.items() if f":{name}" in text}


@pytest.mark.parametrize("text", WRONG_CONDITIONS)
@pytest.mark.parametrize("reached", [True, False])
def test_a_condition_whose_values_fit_no_item_is_an_error_also_if_not_reached(
    text: str, reached: bool
) -> None:
    store = Store()
    text = text if reached else f"attribute_not_exists(id) OR {text}"
    with pytest.raises(Mistake):
        store.holds(text, values=of_values(text))


def test_bounds_in_the_wrong_order_are_refused() -> None:
    """https://github.com/ExtendDB/extenddb/issues/99"""
    text = "a BETWEEN :two AND :one"
    message = Store().refusal(
        "DeleteItem", Key=KEY, ConditionExpression=text, **expressions({"values": of_values(text)})
    )
    assert "upper bound" in message


ITEM: dict[str, Any] = {
    **KEY,
    "n": {"N": "5"},
    "s": {"S": "hello"},
    "set": {"SS": ["x", "y"]},
    "map": {"M": {"in": {"N": "1"}, "deep": {"M": {"er": {"S": "z"}}}}},
    "list": {"L": [{"N": "1"}, {"S": "x"}]},
    "flag": {"BOOL": True},
    "down": {"BOOL": False},
    "absent": {"NULL": True},
    "b": {"B": "AQI="},
    "smile": {"S": "\N{GRINNING FACE}"},
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
    # test_condition_expression.py in ALTERNATOR, to the next source
    ("nothing = nowhere", False),
    ("nothing <> nowhere", True),
    ("flag > down", False),
    ("n > flag", False),
    ("n BETWEEN flag AND :ten", False),
    ("begins_with(n, :he)", False),
    ("begins_with(s, n)", False),
    ("begins_with(b, :first)", True),
    ("begins_with(b, :last)", False),
    ("contains(b, :last)", True),
    ("contains(b, :he)", False),
    ("attribute_type(b, :s)", False),
    # https://github.com/scylladb/scylladb/issues/14592
    ("size(n) < :five", False),
    ("size(flag) < :five OR size(absent) < :five", False),
    ("NOT size(n) < :five", True),
    # https://github.com/nubo-db/dynoxide/pull/34
    ("size(smile) = :two", True),
    ("size(b) = :two", True),
]


@pytest.mark.parametrize(("text", "holds"), CONDITIONS)
def test_conditions(text: str, holds: bool) -> None:
    store = Store()
    store.table.add(ITEM)
    text = text.replace("map.", "#map.")
    values = {"five": 5, "ten": 10, "s": "S", "he": "he", "x": "x", "z": "z", "true": True}
    values |= {"first": {"B": "AQ=="}, "last": {"B": "Ag=="}, "two": 2}
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
