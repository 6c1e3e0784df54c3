"""Where moto is known to differ from DynamoDB: shapes of requests that are not compared.

Each is as narrow as it could be made, and has an example of which `test_moto_still_differs` makes
sure that the double answers as DynamoDB does, and moto not: what moto has mended leaves this table.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from claude_core.aws import FAILED
from tests.cloud.dynamo_expressions import (
    Between,
    Call,
    Change,
    Compared,
    Condition,
    Given,
    Joined,
    ListAppend,
    Path,
    Size,
    Sum,
    Writer,
)
from tests.cloud.dynamo_requests import TABLE, Request
from tests.cloud.keys import Keys
from tests.cloud.moto_shapes import (
    Seen,
    adds_large_numbers,
    appends_what_is_missing,
    begins_with_between,
    begins_with_bytes,
    bounds_by_size,
    compares_with_itself,
    conditions_wrong_paths,
    contains_otherwise,
    copies_a_container,
    filters_by_key,
    gives_an_empty_key,
    gives_wrong_values,
    has_no_order,
    of_conditions,
    of_items,
    only_takes_away,
    orders_blindly,
    projects_large_numbers,
    projects_through_no_map,
    reaches_into_no_map,
    reads_its_key,
    selects_by_wrong_values,
    sets_index_key_wrongly,
    shows_other_updates,
    sizes_otherwise,
    starts_outside,
    takes_for_equal,
    updates,
)
from tests.cloud.values import Item

ALTERNATOR = "https://github.com/scylladb/scylladb/blob/master/test/alternator"
"""Tests that are run against DynamoDB, too."""
PARITY = "https://github.com/paritysuite/dynamodb-conformance/blob/main/tests"
"""The same."""
DYNALITE = "https://github.com/architect/dynalite/blob/main"
GUIDE = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide"
TYPES_OF_DATA = f"{GUIDE}/HowItWorks.NamingRulesDataTypes.html"
INVALID = "ValidationException"
HASH = Keys("id")
KEY: Item = {"id": {"S": "a"}}
ONE, TEXT = Given({"N": "1"}), Given({"S": "text"})
N, OPEN, TOLD, ANY = Path(("n",)), Path(("open",)), Path(("told",)), Path(("any",))
IN_OPEN = Path(("open", "x"))


def write(
    *changes: Change, holds: Condition | None = None, key: Item = KEY, **asked: Any
) -> Request:
    """An update, or a deletion where nothing is to be changed."""
    writer = Writer()
    asked = {"TableName": TABLE, "Key": key, **asked}
    if changes:
        asked["UpdateExpression"] = writer.update(changes)
    if holds is not None:
        asked["ConditionExpression"] = writer.condition(holds)
    asked |= writer.parameters()
    return Request("UpdateItem" if changes else "DeleteItem", asked, holds, changes)


def query(of: Condition, keeps: Condition | None = None, **asked: Any) -> Request:
    writer = Writer()
    asked = {"TableName": TABLE, "KeyConditionExpression": writer.condition(of), **asked}
    if keeps is not None:
        asked["FilterExpression"] = writer.condition(keeps)
    return Request("Query", asked | writer.parameters(), keeps)


OF_A, OF_X = (
    Compared(Path((name,)), "=", Given({"S": of})) for name, of in (("id", "a"), ("kind", "x"))
)
AT = Path(("at",))
"""The sort key of the index by_kind_at, of which `OF_X` is a partition."""


@dataclass(frozen=True)
class Difference:
    """A shape, and what is known of it."""

    says: str
    """What moto does, and after the colon what DynamoDB does, and so the double."""
    source: str
    applies: Callable[[Seen], bool]
    example: Request
    items: tuple[Item, ...] = ()
    """That are there before the example."""
    keys: Keys = HASH
    error: str = ""
    """What DynamoDB answers the example with."""
    part: str = ""
    """Of the answer, that is not compared; the whole request is not where this is empty."""


DIFFERENCES: dict[str, Difference] = {
    "types in comparisons": Difference(
        "=, <> and IN compare values of Python, of which a flag is 0 or 1, and what is missing is "
        "NULL: values of two types are never equal, nor is what is missing to anything",
        f"{ALTERNATOR}/test_condition_expression.py (eq_different, eq_two_unset, ne_two_unset)",
        of_items(takes_for_equal),
        write(holds=Compared(ANY, "=", Given({"BOOL": True}))),
        items=({**KEY, "any": {"N": "1"}},),
        error=FAILED,
    ),
    "types in order": Difference(
        "<, <=, >, >= and BETWEEN fail with a TypeError for attributes of two types or of one that "
        "has no order, or find an order, as for base64: such a comparison is false",
        f"{ALTERNATOR}/test_condition_expression.py (lt, between, comparison_two_unset)",
        of_items(orders_blindly),
        write(holds=Compared(ANY, "<", ONE)),
        items=({**KEY, "any": {"S": "0"}},),
        error=FAILED,
    ),
    "size": Difference(
        "size() fails with a ValueError for what is missing or has no size, and counts base64 and "
        "code points: the comparison is false, and bytes and UTF-16 are counted",
        "https://github.com/scylladb/scylladb/issues/14592 and "
        "https://github.com/nubo-db/dynoxide/pull/34",
        of_items(sizes_otherwise),
        write(holds=Compared(Size(ANY), "=", ONE)),
        items=({**KEY, "any": {"N": "1"}},),
        error=FAILED,
    ),
    "size as a bound": Difference(
        "BETWEEN fails with an AttributeError for a bound that is a size(): it is an operand as "
        "others",
        f"{DYNALITE}/test/query.js (':a between size(b) and size(a)' is parsed)",
        of_conditions(bounds_by_size),
        write(holds=Between(ONE, ONE, Size(OPEN))),
        items=({**KEY, "open": {"M": {"x": {"N": "0"}}}},),
    ),
    "contains": Difference(
        "contains() looks for values of Python, so that a list with 1 contains true, and never in "
        "bytes: types count, and bytes contain bytes",
        f"{ALTERNATOR}/test_condition_expression.py (contains)",
        of_items(contains_otherwise),
        write(holds=Call("contains", TOLD, (Given({"BOOL": True}),))),
        items=({**KEY, "told": {"L": [{"N": "1"}]}},),
        error=FAILED,
    ),
    "begins_with": Difference(
        "begins_with() is false for bytes: it works for bytes as for text",
        f"{ALTERNATOR}/test_condition_expression.py (begins_with)",
        of_items(begins_with_bytes),
        write(holds=Call("begins_with", ANY, (Given({"B": "AQ=="}),))),
        items=({**KEY, "any": {"B": "AQI="}},),
    ),
    "values that no item fits": Difference(
        "Types of values in the request, bounds of BETWEEN and names of types are not checked: a "
        "value that has no order, bounds of two types or in the wrong order, and the prefix or the "
        "type that is none are refused, whatever the item is",
        f"{ALTERNATOR}/test_condition_expression.py (lt, between, begins_with, attribute_type) and "
        "https://github.com/ExtendDB/extenddb/issues/99",
        of_conditions(gives_wrong_values),
        write(holds=Between(N, Given({"N": "2"}), ONE)),
        error=INVALID,
    ),
    "an attribute beside itself": Difference(
        "An attribute is compared with itself: that is refused, as it is documented for contains()",
        f"{GUIDE}/Expressions.OperatorsAndFunctions.html and {DYNALITE}/db/conditionParser.pegjs",
        of_conditions(compares_with_itself),
        write(holds=Call("contains", ANY, (ANY,))),
        error=INVALID,
    ),
    "an empty key": Difference(
        "UpdateItem, DeleteItem, BatchGetItem and a page's start take a key that is empty text: "
        "keys are not empty",
        TYPES_OF_DATA,
        gives_an_empty_key,
        write(key={"id": {"S": ""}}),
        error=INVALID,
    ),
    "an update that only takes away": Difference(
        "REMOVE and DELETE alone make an item that is not there, or are refused for their place in "
        "it: they do nothing",
        "https://github.com/scylladb/scylladb/issues/5862",
        only_takes_away,
        write(Change("REMOVE", N), ReturnValues="ALL_NEW"),
    ),
    "paths under a condition": Difference(
        "What an update may never touch is looked at after the condition: before it",
        f"{DYNALITE}/actions/updateItem.js",
        conditions_wrong_paths,
        write(Change("REMOVE", Path(("id",))), holds=Call("attribute_exists", N)),
        items=({**KEY, "any": {"S": "x"}},),
        error=INVALID,
    ),
    "a key that is read": Difference(
        "SET from an attribute of the key is refused like a change of it: it is allowed",
        f"{ALTERNATOR}/test_update_expression.py (set_key)",
        reads_its_key,
        write(Change("SET", ANY, Path(("id",)))),
        items=({**KEY, "n": {"N": "1"}},),
    ),
    "large numbers": Difference(
        "Sums have as many digits as Python gives them: 38 digits at most are exact, more are "
        "refused",
        f"{ALTERNATOR}/test_number.py (test_update_expression_plus_imprecise)",
        adds_large_numbers,
        write(Change("SET", N, Sum(N, "+", ONE))),
        items=({**KEY, "n": {"N": "1" + "0" * 38}},),
        error=INVALID,
    ),
    "a list that is missing": Difference(
        "list_append() fails with an AssertionError for a second list that is not there: it is "
        "refused",
        f"{ALTERNATOR}/test_update_expression.py (list_append_non_list_arguments)",
        appends_what_is_missing,
        write(Change("SET", TOLD, ListAppend(Given({"L": []}), TOLD))),
        error=INVALID,
    ),
    "a map that is copied": Difference(
        "SET from an attribute stores the very map, list or set a second time, so that a change of "
        "one changes both, and a map that is put into itself has no end: it is copied",
        f"{ALTERNATOR}/test_update_expression.py (set_copy)",
        copies_a_container,
        write(Change("SET", IN_OPEN, OPEN)),
        items=({**KEY, "open": {"M": {}}},),
    ),
    "a place in no map": Difference(
        "SET ignores a place in what is no map, and REMOVE fails with a TypeError: it is refused",
        f"{ALTERNATOR}/test_update_expression.py (nested_attribute_update_bad_path_dot)",
        reaches_into_no_map,
        write(Change("SET", IN_OPEN, ONE)),
        items=({**KEY, "open": {"S": "x"}},),
        error=INVALID,
    ),
    "a key of an index": Difference(
        "The type of an index's key is checked only where SET names it without a placeholder: it "
        "always is, and that it is not empty, too",
        f"{DYNALITE}/actions/updateItem.js",
        sets_index_key_wrongly,
        write(Change("SET", Path(("state",)), ONE)),
        error=INVALID,
    ),
    "updated attributes": Difference(
        "UPDATED_OLD and UPDATED_NEW show whole attributes, and only those that have changed: what "
        "was updated is shown, just that part of it, and also if it is as before",
        f"{ALTERNATOR}/test_returnvalues.py (updated_old, updated_new, nested)",
        shows_other_updates,
        write(Change("SET", IN_OPEN, ONE), ReturnValues="UPDATED_OLD"),
        items=({**KEY, "open": {"M": {"x": {"N": "0"}, "y": {"N": "0"}}}},),
        part="Attributes",
    ),
    "a refused update": Difference(
        "An update that is refused leaves its first actions, or an item that was not there: it "
        "changes nothing",
        "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html",
        updates,
        write(Change("SET", N, ONE), Change("ADD", ANY, ONE)),
        items=({**KEY, "any": {"S": "x"}},),
        error=INVALID,
        part="stored",
    ),
    "a filter of keys": Difference(
        "A filter may name the keys that a query goes by: it is refused",
        f"{GUIDE}/Query.FilterExpression.html",
        filters_by_key,
        query(OF_A, Call("attribute_exists", Path(("id",)))),
        error=INVALID,
    ),
    "values that no key fits": Difference(
        "Types and bounds in a key condition are not checked, as those in conditions: they are",
        f"{PARITY}/tier3/error-messages/queryKeyConditionOperands.test.ts",
        selects_by_wrong_values,
        query(
            Joined("AND", (OF_X, Between(AT, Given({"S": "2"}), Given({"S": "1"})))),
            IndexName="by_kind_at",
        ),
        error=INVALID,
    ),
    "BETWEEN before the partition": Difference(
        "A key condition that begins with BETWEEN fails with an AssertionError: the order of its "
        "two parts does not matter",
        f"{ALTERNATOR}/test_key_condition_expression.py (parser)",
        begins_with_between,
        query(
            Joined("AND", (Between(AT, Given({"S": "1"}), Given({"S": "2"})), OF_X)),
            IndexName="by_kind_at",
        ),
    ),
    "an index without order": Difference(
        "Items of an index without a sort key are ordered by the table's sort key: their order is "
        "not documented, and by the table's key in the double",
        f"{GUIDE}/GSI.html",
        has_no_order,
        query(OF_X, IndexName="by_kind"),
        items=tuple(
            {"id": {"S": id}, "turn": {"S": turn}, "kind": {"S": "x"}} for id, turn in ("a2", "b1")
        ),
        keys=Keys("id", "turn"),
    ),
    "a start outside": Difference(
        "A page may start outside of what the key condition selects: that is refused",
        f"{DYNALITE}/actions/query.js",
        starts_outside,
        query(OF_A, ExclusiveStartKey={"id": {"S": "b"}}),
        error=INVALID,
    ),
    "a projection through no map": Difference(
        "A projection into what is no map fails with a TypeError, or shows a list of it: it shows "
        "nothing",
        f"{ALTERNATOR}/test_projection_expression.py (path)",
        projects_through_no_map,
        Request("GetItem", {"TableName": TABLE, "Key": KEY, "ProjectionExpression": "n.x"}),
        items=({**KEY, "n": {"N": "1"}},),
    ),
    "a projection of large numbers": Difference(
        "A projection fails with a Rounded error of Python's if an item has a number of more than "
        "38 digits, zeros at its end among them: these do not count, and it is shown",
        f"https://github.com/boto/boto3/issues/2500 and {ALTERNATOR}/test_number.py "
        "(test_number_magnitude_allowed)",
        projects_large_numbers,
        Request("GetItem", {"TableName": TABLE, "Key": KEY, "ProjectionExpression": "n"}),
        items=({**KEY, "n": {"N": "1" + "0" * 38}},),
    ),
}
