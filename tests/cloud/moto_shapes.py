"""Shapes of requests, with what they find in the items they are about."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import combinations
from typing import Any

from claude_core.aws import AwsRefused
from tests.cloud.conditions import condition
from tests.cloud.dynamo_expressions import (
    Between,
    Call,
    Change,
    Compared,
    Condition,
    Given,
    IfNotExists,
    In,
    Joined,
    ListAppend,
    Not,
    Operand,
    Path,
    Size,
    Sum,
    Term,
)
from tests.cloud.dynamo_requests import INDEXES, Request
from tests.cloud.keys import Keys
from tests.cloud.operands import SIZED
from tests.cloud.refusing import Mistake, Payload
from tests.cloud.tokens import Scope
from tests.cloud.values import MOST_DIGITS, TYPES, Item, Value, order

IN_ORDER = frozenset({"S", "N", "B"})
SIMPLE = frozenset({"S", "N"})
"""Types that Python orders as DynamoDB does, once moto has read them."""
CONTAINERS = frozenset({"M", "L", "SS", "NS", "BS"})
SIGNS = frozenset({"<", "<=", ">", ">="})
PYTHON_DIGITS = 27
"""That a number may have of which Python's own context makes no shorter one."""


@dataclass(frozen=True)
class Seen:
    """A request, and the items that it is about, as they are before it."""

    request: Request
    keys: Keys
    items: list[Item] = field(default_factory=list)
    """Of a query, those that its key condition selects, as they are shown."""

    @property
    def item(self) -> Item:
        return self.items[0] if self.items else {}

    @property
    def source(self) -> Keys:
        """What a query goes by."""
        index = self.request.asked.get("IndexName")
        return INDEXES[index][0] if index in INDEXES else self.keys

    @property
    def terms(self) -> list[Term]:
        return [term for change in self.request.changes for term in terms(change.term)]

    def scope(self, item: Item) -> Scope:
        asked = self.request.asked
        names = asked.get("ExpressionAttributeNames", {})
        return Scope(item, names, asked.get("ExpressionAttributeValues", {}))


def leaves(of: Condition | None) -> Iterator[Condition]:
    """The comparisons and functions in a condition."""
    match of:
        case None:
            return
        case Not(what):
            yield from leaves(what)
        case Joined(_, parts):
            for part in parts:
                yield from leaves(part)
        case _:
            yield of


def terms(term: Term | None) -> Iterator[Term]:
    """A term, and all in it."""
    match term:
        case None:
            return
        case Sum(left, _, right):
            yield from (*terms(left), *terms(right))
        case IfNotExists(_, otherwise):
            yield from terms(otherwise)
        case ListAppend(first, second):
            yield from (*terms(first), *terms(second))
    yield term


def operands(leaf: Condition) -> tuple[Operand, ...]:
    match leaf:
        case Compared(left, _, right):
            return left, right
        case Between(what, low, high):
            return what, low, high
        case In(what, members):
            return what, *members
        case Call(_, path, more):
            return path, *more
    return ()


def value_of(term: Term, item: Item) -> Value | None:
    match term:
        case Path():
            return term.of(item)
        case Given(value):
            return dict(value)
        case Size(path):
            value = path.of(item)
            kind = kind_of(value)
            return {"N": str(SIZED[kind](value[kind]))} if value and kind in SIZED else None
        case IfNotExists(path, otherwise):
            found = path.of(item)
            return value_of(otherwise, item) if found is None else found
    return None


def kind_of(value: Value | None) -> str:
    return next(iter(value)) if value else ""


def kind_of_result(term: Term | None, item: Item) -> str:
    match term:
        case None:
            return ""
        case Sum():
            return "N"
        case ListAppend():
            return "L"
    return kind_of(value_of(term, item))


def as_moto(value: Value | None) -> Any:
    """What moto compares: a value of Python, without its type."""
    if value is None:
        return None
    ((kind, held),) = value.items()
    match kind:
        case "N":
            return Decimal(held)
        case "SS" | "NS" | "BS":
            return {as_moto({kind[0]: one}) for one in held}
        case "L":
            return [as_moto(one) for one in held]
        case "M":
            return {name: as_moto(one) for name, one in held.items()}
        case "NULL":
            return None
    return held


def takes_for_equal(leaf: Condition, item: Item) -> bool:
    pairs: list[tuple[Value | None, Value | None]] = []
    match leaf:
        case Compared(left, "=" | "<>", right):
            pairs = [(value_of(left, item), value_of(right, item))]
        case In(what, members):
            pairs = [(value_of(what, item), value_of(one, item)) for one in members]
    return any((as_moto(a) == as_moto(b)) is not (a is not None and a == b) for a, b in pairs)


def orders_blindly(leaf: Condition, item: Item) -> bool:
    match leaf:
        case Compared(left, sign, right) if sign in SIGNS:
            a, b = value_of(left, item), value_of(right, item)
            if as_moto(a) is None or as_moto(b) is None:
                return False
            return kind_of(a) != kind_of(b) or kind_of(a) not in SIMPLE
        case Between(what, low, high):
            found = value_of(what, item)
            kinds = {kind_of(value_of(one, item)) for one in (what, low, high)}
            return as_moto(found) is not None and (len(kinds) > 1 or not kinds <= SIMPLE)
    return False


def sizes_otherwise(leaf: Condition, item: Item) -> bool:
    for one in operands(leaf):
        if isinstance(one, Size):
            value, size = one.path.of(item), value_of(one, item)
            if size is None or len(as_moto(value)) != int(size["N"]):
                return True
    return False


def bounds_by_size(leaf: Condition, item: Item) -> bool:
    match leaf:
        case Between(_, low, high):
            return isinstance(low, Size) or isinstance(high, Size)
    return False


def contains_otherwise(leaf: Condition, item: Item) -> bool:
    match leaf:
        case Call("contains", path, (operand,)):
            a, b = path.of(item), value_of(operand, item)
            kind = kind_of(a)
            if a is None or kind not in ("S", "SS", "NS", "BS", "L", "B"):
                return False
            if kind == "B":
                return kind_of(b) == "B"
            if kind == "L":
                return (as_moto(b) in as_moto(a)) is not (b in a["L"])
            try:
                return kind_of(b) != kind[0] and as_moto(b) in as_moto(a)
            except TypeError:
                return False
    return False


def begins_with_bytes(leaf: Condition, item: Item) -> bool:
    match leaf:
        case Call("begins_with", path, (operand,)):
            return kind_of(path.of(item)) == kind_of(value_of(operand, item)) == "B"
    return False


def gives_wrong_values(leaf: Condition, item: Item) -> bool:
    given = [kind_of(one.value) for one in operands(leaf) if isinstance(one, Given)]
    match leaf:
        case Compared(_, sign, _) if sign in SIGNS:
            return not IN_ORDER.issuperset(given)
        case Between(_, low, high):
            if not IN_ORDER.issuperset(given):
                return True
            if isinstance(low, Given) and isinstance(high, Given):
                same = kind_of(low.value) == kind_of(high.value)
                return not same or bool(order(low.value) > order(high.value))
        case Call("begins_with", _, _):
            return not {"S", "B"}.issuperset(given)
        case Call("attribute_type", _, (Given(value),)):
            return value["S"] not in TYPES
    return False


def compares_with_itself(leaf: Condition, item: Item) -> bool:
    match leaf:
        case Compared(Path() as one, _, other) | Call(_, one, (other,)):
            return one == other
    return False


def gives_an_empty_key(seen: Seen) -> bool:
    asked = seen.request.asked
    match seen.request.action:
        case "UpdateItem" | "DeleteItem":
            keys = [asked["Key"]]
        case "BatchGetItem":
            keys = [key for of in asked["RequestItems"].values() for key in of["Keys"]]
        case _:
            keys = [asked.get("ExclusiveStartKey", {})]
    return any({"S": ""} in key.values() for key in keys)


def only_takes_away(seen: Seen) -> bool:
    clauses = {change.clause for change in seen.request.changes}
    return bool(clauses) and not seen.item and clauses <= {"REMOVE", "DELETE"}


def conditions_wrong_paths(seen: Seen) -> bool:
    paths = [change.path for change in seen.request.changes]
    wrong = any(one.overlaps(other) for one, other in combinations(paths, 2))
    wrong = wrong or any(path.parts[0] in seen.keys.names for path in paths)
    return wrong and seen.request.condition is not None


def reads_its_key(seen: Seen) -> bool:
    read = [term.path if isinstance(term, IfNotExists) else term for term in seen.terms]
    return any(isinstance(path, Path) and path.parts[0] in seen.keys.names for path in read)


def adds_large_numbers(seen: Seen) -> bool:
    numbers: list[Value | None] = []
    for change in seen.request.changes:
        if change.clause == "ADD" and change.term is not None:
            numbers += [change.path.of(seen.item), value_of(change.term, seen.item)]
    for term in seen.terms:
        if isinstance(term, Sum):
            numbers += [value_of(term.left, seen.item), value_of(term.right, seen.item)]
    return any(one is not None and len(one.get("N", "")) > PYTHON_DIGITS for one in numbers)


def appends_what_is_missing(seen: Seen) -> bool:
    appended = [term for term in seen.terms if isinstance(term, ListAppend)]
    return any(value_of(term.second, seen.item) is None for term in appended)


def copies_a_container(seen: Seen) -> bool:
    set_to = [change.term for change in seen.request.changes]
    copied = [term for term in set_to if isinstance(term, Path | IfNotExists)]
    return any(kind_of(value_of(term, seen.item)) in CONTAINERS for term in copied)


def reaches_into_no_map(seen: Seen) -> bool:
    holders = [Path(change.path.parts[:-1]) for change in seen.request.changes]
    return any(kind_of(holder.of(seen.item)) not in ("M", "") for holder in holders)


def sets_index_key_wrongly(seen: Seen) -> bool:
    for change in seen.request.changes:
        for keys, _ in INDEXES.values():
            if change.clause == "SET" and change.path.parts[0] in keys.names:
                wanted = keys.type_of(change.path.parts[0])
                if kind_of_result(change.term, seen.item) != wanted:
                    return True
                if change.term and value_of(change.term, seen.item) == {"S": ""}:
                    return True
    return False


def shows_other_updates(seen: Seen) -> bool:
    """Unless all that is updated are attributes that are there, scalars, and changed."""
    if seen.request.asked.get("ReturnValues") not in ("UPDATED_OLD", "UPDATED_NEW"):
        return False
    return not seen.item or not all(changes_plainly(one, seen) for one in seen.request.changes)


def changes_plainly(change: Change, seen: Seen) -> bool:
    before = change.path.of(seen.item)
    if len(change.path.parts) > 1 or kind_of(before) not in ("S", "N", "BOOL", "NULL", ""):
        return False
    match change:
        case Change("SET", _, Given(value)):
            return bool(value != before)
        case Change("ADD", _, Given(value)):
            return bool(value != {"N": "0"})
    return change.clause == "REMOVE"


def updates(seen: Seen) -> bool:
    return seen.request.action == "UpdateItem"


def filters_by_key(seen: Seen) -> bool:
    if seen.request.action != "Query":
        return False
    used = (one for leaf in leaves(seen.request.condition) for one in operands(leaf))
    paths = [one.path if isinstance(one, Size) else one for one in used]
    return any(isinstance(path, Path) and path.parts[0] in seen.source.names for path in paths)


def selects_by_wrong_values(seen: Seen) -> bool:
    text = seen.request.asked.get("KeyConditionExpression")
    if text is None:
        return False
    try:
        condition(text).check(seen.scope({}))
    except (Mistake, AwsRefused):
        return True
    return False


def starts_outside(seen: Seen) -> bool:
    asked = seen.request.asked
    start, text = asked.get("ExclusiveStartKey"), asked.get("KeyConditionExpression")
    return start is not None and not condition(text).holds(seen.scope(start))


def has_no_order(seen: Seen) -> bool:
    if seen.source.sort is not None or seen.keys.sort is None:
        return False
    return len(seen.items) > 1 or "ExclusiveStartKey" in seen.request.asked


def begins_with_between(seen: Seen) -> bool:
    first, _, more = seen.request.asked.get("KeyConditionExpression", "").partition(" BETWEEN ")
    return " AND " not in first and more.count(" AND ") == 2


def projects_through_no_map(seen: Seen) -> bool:
    asked = seen.request.asked
    for of in (asked, *_batched(asked)):
        names = of.get("ExpressionAttributeNames", {})
        for text in of.get("ProjectionExpression", "").split(", "):
            parts = tuple(names.get(part, part) for part in text.split("."))
            holders = [Path(parts[:at]) for at in range(1, len(parts))]
            if any(
                kind_of(one.of(item)) not in ("M", "") for one in holders for item in seen.items
            ):
                return True
    return False


def projects_large_numbers(seen: Seen) -> bool:
    asked = seen.request.asked
    if not any("ProjectionExpression" in of for of in (asked, *_batched(asked))):
        return False
    numbers = (number for item in seen.items for number in _numbers({"M": item}))
    return any(len(Decimal(number).as_tuple().digits) > MOST_DIGITS for number in numbers)


def _batched(asked: Payload) -> Iterable[Payload]:
    """What a BatchGetItem asks of each table."""
    of_tables: dict[str, Payload] = asked.get("RequestItems", {})
    return of_tables.values()


def _numbers(value: Value) -> Iterator[str]:
    ((kind, held),) = value.items()
    if kind == "N":
        yield held
    elif kind == "NS":
        yield from held
    elif kind in ("M", "L"):
        for one in held.values() if kind == "M" else held:
            yield from _numbers(one)


def of_items(differs: Callable[[Condition, Item], bool]) -> Callable[[Seen], bool]:
    """A shape of a comparison or function in a condition, with what it finds in an item."""

    def applies(seen: Seen) -> bool:
        items = seen.items if seen.request.action == "Query" else [seen.item]
        return any(differs(leaf, item) for leaf in leaves(seen.request.condition) for item in items)

    return applies


def of_conditions(differs: Callable[[Condition, Item], bool]) -> Callable[[Seen], bool]:
    """A shape of a comparison or function in a condition, whatever the item is."""
    return lambda seen: any(differs(leaf, {}) for leaf in leaves(seen.request.condition))
