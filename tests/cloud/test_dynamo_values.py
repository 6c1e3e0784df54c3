"""What DynamoDB stores, and how large that is."""

from typing import Any

import pytest

from tests.cloud.keys import Keys
from tests.cloud.store import KEY, Store

KB = 1_024
LARGEST = 400 * KB


def stored(value: dict[str, Any]) -> Any:
    store = Store()
    store.do("PutItem", Item={**KEY, "v": value})
    return store.do("GetItem", Key=KEY)["Item"]["v"]


def bytes_of(value: dict[str, Any]) -> int:
    store = Store()
    store.table.add({**KEY, "v": value})
    return store.table.size("a") - len("idav")


@pytest.mark.parametrize(
    ("given", "back"),
    [
        ("007", "7"),
        ("1.500", "1.5"),
        ("1e3", "1000"),
        ("-0", "0"),
        ("0.0", "0"),
        ("+5", "5"),
        (".5", "0.5"),
        ("-12.30", "-12.3"),
        ("1" * 38, "1" * 38),
        ("1" + "0" * 60, "1" + "0" * 60),
    ],
)
def test_numbers_come_back_without_zeros_that_say_nothing(given: str, back: str) -> None:
    assert stored({"N": given}) == {"N": back}


REFUSED: dict[str, dict[str, Any]] = {
    "no number": {"N": "one"},
    "an empty number": {"N": ""},
    "not a number": {"N": "NaN"},
    "endless": {"N": "Infinity"},
    "digits with underscores": {"N": "1_000"},
    "39 digits": {"N": "1" * 39},
    "too large": {"N": "1e126"},
    "too small": {"N": "1e-131"},
    "an empty set": {"SS": []},
    "a set with one member twice": {"SS": ["a", "a"]},
    "a set with one number twice": {"NS": ["1", "1.0"]},
}


@pytest.mark.parametrize("what", REFUSED)
@pytest.mark.parametrize("nested", [False, True])
def test_values_that_dynamodb_refuses(what: str, nested: bool) -> None:
    value = {"M": {"in": {"L": [REFUSED[what]]}}} if nested else REFUSED[what]
    Store().refusal("PutItem", Item={**KEY, "v": value})
    update = {"Key": KEY, "UpdateExpression": "SET v = :v"}
    Store().refusal("UpdateItem", ExpressionAttributeValues={":v": value}, **update)


MISTAKEN: dict[str, Any] = {
    "a number that is none": {"N": 5},
    "a flag that is text": {"BOOL": "true"},
    "a null that is not": {"NULL": False},
    "no type": "text",
    "two types": {"S": "a", "N": "1"},
    "an unknown type": {"X": "a"},
    "no base64": {"B": "a"},
}


@pytest.mark.parametrize("what", MISTAKEN)
def test_what_is_no_typed_value_is_an_error_of_the_test(what: str) -> None:
    Store().mistaken("PutItem", Item={**KEY, "v": MISTAKEN[what]})


def test_empty_text_is_taken_and_so_are_empty_maps_and_lists() -> None:
    empty: list[dict[str, Any]] = [{"S": ""}, {"M": {}}, {"L": []}, {"NULL": True}]
    for value in empty:
        assert stored(value) == value


def test_maps_nest_32_deep() -> None:
    value: dict[str, Any] = {"S": "x"}
    for _ in range(31):
        value = {"M": {"in": value}}
    stored(value)
    Store().refusal("PutItem", Item={**KEY, "v": {"M": {"in": {"L": [value]}}}})


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": "hello"}, 5),
        ({"S": "é"}, 2),
        ({"N": "12345"}, 4),
        ({"N": "1000000"}, 2),
        ({"BOOL": True}, 1),
        ({"SS": ["ab", "c"]}, 3),
        ({"B": "AAAA"}, 3),
        ({"L": [{"S": "ab"}, {"S": "c"}]}, 3 + 3 + 2),
        ({"M": {"name": {"S": "ab"}}}, 3 + 4 + 2 + 1),
    ],
)
def test_sizes_are_those_that_aws_documents(value: dict[str, Any], size: int) -> None:
    assert bytes_of(value) == size


def test_an_item_has_400_kb_with_its_names_and_no_byte_more() -> None:
    room = LARGEST - len("idav")
    full = {**KEY, "v": {"S": "x" * room}}
    store = Store()
    store.do("PutItem", Item=full)
    assert "size" in store.refusal("PutItem", Item={**full, "v": {"S": "x" * (room + 1)}})
    grown = {"Key": KEY, "UpdateExpression": "SET w = :w"}
    value = {"ExpressionAttributeValues": {":w": {"S": ""}}}
    assert "size" in store.refusal("UpdateItem", **grown, **value)
    assert store.table.items["a"] == full


def test_sizes_are_kept_right_through_every_kind_of_update() -> None:
    store = Store()
    store.update("SET a = :a, m = :m", values={"a": "x" * 100, "m": {"M": {}}})
    store.update("SET m.b = :b, c = :b", values={"b": 123456})
    store.update("SET m.b = :b REMOVE c ADD n :b, tags :s", values={"b": 7, "s": {"SS": ["ab"]}})
    store.update("REMOVE m.b, m.c, d ADD tags :s", values={"s": {"SS": ["cd"]}})
    store.update("SET a = :a DELETE tags :s", values={"a": "y", "s": {"SS": ["ab", "cd"]}})
    kept, item = store.table.size("a"), store.table.items["a"]
    assert item == {**KEY, "a": {"S": "y"}, "m": {"M": {}}, "n": {"N": "7"}}
    store.table.add(item)
    assert store.table.size("a") == kept


def test_what_was_stored_changes_neither_with_the_request_nor_with_the_answer() -> None:
    store = Store()
    item = {**KEY, "m": {"M": {"a": {"S": "x"}}}}
    store.do("PutItem", Item=item)
    item["m"]["M"]["b"] = {"S": "y"}
    store.do("GetItem", Key=KEY)["Item"]["extra"] = {"S": "z"}
    before = store.do("GetItem", Key=KEY)["Item"]
    store.update("SET m.a = :new", values={"new": "changed"})
    assert before == {**KEY, "m": {"M": {"a": {"S": "x"}}}}


KEYS: dict[str, dict[str, Any]] = {
    "empty": {"S": ""},
    "a number": {"N": "1"},
    "2,049 bytes": {"S": "é" * 1_024 + "x"},
}


@pytest.mark.parametrize("what", KEYS)
def test_keys_that_dynamodb_refuses(what: str) -> None:
    key = {"id": KEYS[what]}
    for action, asked in (("PutItem", "Item"), ("GetItem", "Key"), ("DeleteItem", "Key")):
        Store().refusal(action, **{asked: key})


def test_a_sort_key_has_at_most_1024_bytes() -> None:
    store = Store(Keys("id", "at"))
    store.do("PutItem", Item={**KEY, "at": {"S": "x" * 1_024}})
    store.refusal("PutItem", Item={**KEY, "at": {"S": "x" * 1_025}})


def test_a_key_is_whole_and_nothing_else() -> None:
    store = Store(Keys("id", "at"))
    store.mistaken("GetItem", Key=KEY)
    store.mistaken("GetItem", Key={**KEY, "at": {"S": "1"}, "more": {"S": "1"}})
    store.mistaken("PutItem", Item=KEY)
