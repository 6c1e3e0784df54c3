"""Random requests to DynamoDB: most make sense, some do not."""

import random
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

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
    Writer,
)
from tests.cloud.examples import seeds
from tests.cloud.index import Projection
from tests.cloud.keys import Keys
from tests.cloud.refusing import Payload
from tests.cloud.values import Item, Value, order

TABLE = "rows"
NUMBERS = frozenset({"since"})
INDEXES: dict[str, tuple[Keys, Projection]] = {
    "by_state": (Keys("state", "since", NUMBERS), Projection()),
    "by_kind": (Keys("kind"), Projection(keys_only=True)),
    "by_kind_at": (Keys("kind", "at"), Projection(include=frozenset({"n", "open"}))),
}
SCHEMAS = (Keys("id"), Keys("id", "turn"), Keys("id", "turn", frozenset({"turn"})))

IDS, KINDS, TURNS = ("a", "b"), ("x", "y"), ("1", "10", "é")
MANY = "9" * 38
NUMERALS = ("0", "1", "2", "-1", "10", "0.5", "-2.25")
TEXTS = ("", "a", "ab", "b", "1", "é", "batch#b", "~", "\U0001f600")
BYTES = ("", "AA==", "AQ==", "AQI=", "/w==")
TAGS = ("a", "b", "fast")
SETS: dict[str, tuple[str, ...]] = {"SS": TAGS, "NS": ("1", "2", "0.5"), "BS": ("AA==", "AQ==")}
MAPS = ("x", "y", "1-batch")
ATTRIBUTES = {
    name: kind
    for kind, names in {
        "N": ("n", "left_2026_11", "use.20261124.m.cost"),
        "S": ("v", "status"),
        "BOOL": ("f",),
        "SS": ("models",),
        "M": ("open",),
        "MM": ("deep",),
        "L": ("told",),
        "any": ("any",),
    }.items()
    for name in names
}
"""Names, some of which are reserved words or no words at all, and what they mostly hold."""
SIGNS = ("=", "<>", "<", "<=", ">", ">=")
IN_ORDER = frozenset({"S", "N", "B"})
RETURNED = {
    "PutItem": ("NONE", "ALL_OLD", "ALL_OLD"),
    "DeleteItem": ("NONE", "ALL_OLD", "ALL_OLD"),
    "UpdateItem": ("NONE", "ALL_OLD", "ALL_NEW", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"),
}


@dataclass
class Request:
    """A request, and the trees that its expressions were written from."""

    action: str
    asked: Payload
    condition: Condition | None = None
    """Of a write, or the filter of a query."""
    changes: tuple[Change, ...] = ()


class Draws:
    """All that one seed draws; larger ones nest deeper."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._pick = self._chance.choice
        self._depth = min(2, seed.bit_length() // 9)

    def _in(self, of: int) -> bool:
        """Whether what happens once in so many times happens."""
        return self._chance.randrange(of) == 0

    def value(self, kind: str) -> Value:
        match kind:
            case "any":
                return self.value(self._pick(("N", "S", "BOOL", "NULL", "B", "SET", "L", "M")))
            case "SET":
                return self.value(self._pick([*SETS]))
            case "SS" | "NS" | "BS":
                members = self._chance.sample(SETS[kind], self._chance.randint(1, 2))
                return {kind: members}
            case "M":
                names = self._chance.sample(MAPS, self._chance.randint(0, 3))
                return {"M": {name: self.value(self._pick("NNNS")) for name in names}}
            case "MM":
                return {"M": {"in": self.value("M")}}
            case "L":
                kinds = ("N", "S", "BOOL", "NULL", "B", "SET")
                found = [self.value(self._pick(kinds)) for _ in range(self._chance.randint(0, 2))]
                return {"L": found}
        if kind == "N" and self._in(30):
            return {"N": MANY}
        of: dict[str, tuple[Any, ...]] = {"S": TEXTS, "N": NUMERALS, "B": BYTES, "NULL": (True,)}
        return {kind: self._pick(of.get(kind, (True, False)))}

    def key(self, keys: Keys) -> Item:
        found: Item = {"id": {"S": self._pick(IDS)}}
        if keys.sort and "turn" in keys.numbers:
            found["turn"] = {"N": self._pick(NUMERALS[:3])}
        elif keys.sort:
            found["turn"] = {"S": self._turn()}
        return found

    def _turn(self) -> str:
        return "" if self._in(60) else self._pick(TURNS)

    def item(self, keys: Keys) -> Item:
        names = [name for name in ATTRIBUTES if not self._in(4)]
        found = self.key(keys) | {name: self.value(ATTRIBUTES[name]) for name in names}
        if self._in(2):
            found["state"] = {"S": self._pick(KINDS)}
        if self._in(2):
            found["since"] = self.value("N")
        if self._in(2):
            found |= {"kind": {"S": self._pick(KINDS)}, "at": {"S": self._turn()}}
        return found

    def path(self) -> Path:
        if self._in(10):
            return Path((self._pick(("id", "kind", "state", "since", "at")),))
        if self._in(3):
            return self._place()
        return Path((self._pick([*ATTRIBUTES]),))

    def _place(self) -> Path:
        holders = ("open", "open", "open", "open", "deep", "deep.in", "deep.in", "any")
        holder = self._pick(holders).split(".")
        return Path((*holder, self._pick((*MAPS, "in"))))

    def _operand(self) -> Operand:
        if self._in(8):
            return Size(self._sized())
        return self.path() if self._in(2) else Given(self.value("any"))

    def _sized(self) -> Path:
        return self.path() if self._in(8) else Path((self._pick(("open", "told", "models", "v")),))

    def _pair(self) -> tuple[Operand, Operand]:
        """Two operands, which mostly are of one type."""
        match self._chance.randrange(12):
            case 0:
                return self._operand(), self._operand()
            case 1:
                return self.path(), self.path()
            case 2 | 3:
                return Size(self._sized()), Given(self.value("N"))
            case 4:
                return self._place(), Given(self.value("N"))
        name = self._pick([*ATTRIBUTES])
        left, right = Path((name,)), Given(self.value(ATTRIBUTES[name]))
        return (right, left) if self._in(6) else (left, right)

    def _simple(self) -> Condition:
        match self._chance.randrange(10):
            case 0 | 1:
                return Call(self._pick(("attribute_exists", "attribute_not_exists")), self.path())
            case 2:
                other = self.path() if self._in(2) else Given(self.value("any"))
                return Call(self._pick(("contains", "begins_with")), self.path(), (other,))
            case 3:
                name = self._pick(("models", "v", "told", "any"))
                return Call("contains", Path((name,)), (Given(self.value(self._pick("NSSB"))),))
            case 4:
                name = self._pick(("v", "status", "any"))
                return Call("begins_with", Path((name,)), (Given(self.value(self._pick("SSB"))),))
            case 5:
                kind = self._pick(("S", "N", "B", "BOOL", "NULL", "SS", "NS", "M", "L", "X"))
                return Call("attribute_type", self.path(), (Given({"S": kind}),))
            case 6:
                return self._between()
            case 7:
                what, first = self._pair()
                more = [self._operand() for _ in range(self._chance.randint(0, 2))]
                return In(what, (first, *more))
        left, right = self._pair()
        ordered = all(IN_ORDER.issuperset(one.value) for one in (left, right) if type(one) is Given)
        return Compared(left, self._pick(SIGNS if ordered or self._in(8) else SIGNS[:2]), right)

    def _between(self) -> Condition:
        if self._in(4):
            what, low = self._pair()
            return Between(what, low, self._pair()[1])
        name, kind = self._pick((("n", "N"), ("v", "S"), ("left_2026_11", "N"), ("since", "N")))
        bounds = [self.value(kind), self.value(kind)]
        if not self._in(8):
            bounds.sort(key=order)
        low, high = map(Given, bounds)
        what = Size(Path(("open",))) if kind == "N" and self._in(4) else Path((name,))
        return Between(what, low, self.path() if self._in(8) else high)

    def condition(self, depth: int | None = None) -> Condition:
        depth = self._depth if depth is None else depth
        if depth == 0 or self._in(3):
            return self._simple()
        if self._in(5):
            return Not(self.condition(depth - 1))
        parts = [self.condition(depth - 1) for _ in range(self._chance.randint(2, 3))]
        return Joined(self._pick(("AND", "OR")), tuple(parts))

    def _number(self) -> Term:
        """What mostly is a number."""
        if self._in(3):
            return Given(self.value("N"))
        if self._in(8):
            return self.path()
        of = self._place() if self._in(2) else Path((self._pick(("n", "left_2026_11")),))
        if self._in(2):
            return of
        return IfNotExists(of, self.path() if self._in(3) else Given(self.value("N")))

    def _list(self) -> Term:
        match self._chance.randrange(8):
            case 0:
                return self.path()
            case 1 | 2 | 3:
                return Given(self.value("L"))
            case 4:
                return Path(("told",))
        return IfNotExists(Path(("told",)), Given(self.value("L")))

    def _term(self) -> Term:
        match self._chance.randrange(9):
            case 0 | 1 | 2:
                return Given(self.value("any"))
            case 3:
                return self.path()
            case 4:
                other: Term = self.path() if self._in(2) else Given(self.value("any"))
                return IfNotExists(self.path(), other)
            case 5:
                return ListAppend(self._list(), self._list())
        return Sum(self._number(), self._pick("+-"), self._number())

    def _change(self) -> Change:
        clause = self._pick(("SET", "SET", "SET", "REMOVE", "ADD", "DELETE"))
        if clause in ("SET", "REMOVE"):
            path = Path(("id",)) if self._in(40) else self._target()
            return Change(clause, path, self._term() if clause == "SET" else None)
        of = ("n", "use.20261124.m.cost", "models", "any") if clause == "ADD" else ("models", "any")
        name = "status" if self._in(20) else self._pick(of)
        kind = ATTRIBUTES[name] if clause == "ADD" else "SS"
        return Change(clause, Path((name,)), Given(self.value("SET" if self._in(6) else kind)))

    def _target(self) -> Path:
        if self._in(3):
            return self._place()
        return Path((self._pick((*ATTRIBUTES, "since", "kind")),))

    def changes(self) -> tuple[Change, ...]:
        found: list[Change] = []
        for _ in range(self._chance.randint(1, 2 + self._depth)):
            one = self._change()
            if self._in(40) or not any(one.path.overlaps(other.path) for other in found):
                found.append(one)
        return tuple(found)

    def write(self, action: str, keys: Keys, condition: Condition | None) -> Request:
        request = Request(action, {"TableName": TABLE}, condition)
        writer = Writer(self._in(2))
        if action == "PutItem":
            request.asked["Item"] = self.item(keys)
        else:
            request.asked["Key"] = self.key(keys)
        if action == "UpdateItem":
            request.changes = self.changes()
            request.asked["UpdateExpression"] = writer.update(request.changes)
        if condition:
            request.asked["ConditionExpression"] = writer.condition(condition)
            if self._in(2):
                request.asked["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        if self._in(2):
            request.asked["ReturnValues"] = self._pick(RETURNED[action])
        request.asked |= writer.parameters()
        return request

    def _projection(self, writer: Writer) -> dict[str, Any]:
        found: list[Path] = []
        for _ in range(self._chance.randint(1, 3)):
            one = self.path()
            if not any(one.overlaps(other) for other in found):
                found.append(one)
        return {"ProjectionExpression": ", ".join(map(writer.path, found))}

    def read(self, action: str, keys: Keys) -> Request:
        writer = Writer(self._in(2))
        asked = self._projection(writer) if self._in(2) else {}
        asked |= {"ConsistentRead": True} if self._in(2) else {}
        asked |= writer.parameters()
        if action == "GetItem":
            return Request(action, {"TableName": TABLE, **asked, "Key": self.key(keys)})
        wanted = [self.key(keys) for _ in range(self._chance.randint(1, 3))]
        return Request(action, {"RequestItems": {TABLE: {**asked, "Keys": wanted}}})

    def query(self, keys: Keys, condition: Condition | None) -> Request:
        index = self._pick((None, None, *INDEXES))
        of = INDEXES[index][0] if index else keys
        writer = Writer(self._in(2))
        asked: Payload = {"TableName": TABLE, **({"IndexName": index} if index else {})}
        partition = {"S": self._pick(KINDS if index else IDS)}
        asked["KeyConditionExpression"] = writer.condition(self._key_condition(of, partition))
        if condition:
            asked["FilterExpression"] = writer.condition(condition)
        if self._in(3):
            asked |= self._projection(writer)
        if self._in(4):
            wanted = ("COUNT", "COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES")
            asked["Select"] = self._pick(wanted)
        if self._in(2):
            asked["Limit"] = self._chance.randint(1, 3)
        if self._in(2):
            asked["ScanIndexForward"] = self._in(2)
        if self._in(3):
            asked["ConsistentRead"] = self._in(2)
        if self._in(8):
            start = self.key(keys) | {name: self._sort(of, name) for name in of.names}
            asked["ExclusiveStartKey"] = start if self._in(4) else start | {of.partition: partition}
        asked |= writer.parameters()
        return Request("Query", asked, condition)

    def _key_condition(self, of: Keys, partition: Value) -> Condition:
        first = Compared(Path((of.partition,)), "=", Given(partition))
        if of.sort is None or self._in(3):
            return first
        path, low = Path((of.sort,)), Given(self._sort(of, of.sort))
        second: Condition = Compared(path, self._pick(("=", "<", "<=", ">", ">=")), low)
        if self._in(3):
            second = Between(path, low, Given(self._sort(of, of.sort)))
        elif self._in(3) and (of.sort not in of.numbers or self._in(8)):
            second = Call("begins_with", path, (low,))
        return Joined("AND", (second, first) if self._in(4) else (first, second))

    def _sort(self, of: Keys, name: str) -> Value:
        """A value of a key attribute."""
        if name in of.numbers:
            return {"N": self._pick(NUMERALS)}
        if name == "id":
            return {"S": self._pick(IDS)}
        return {"S": self._turn() if name in ("turn", "at") else self._pick(KINDS)}


def _request(keys: Keys, action: str, seed: int, condition: int) -> Request:
    draws, of = Draws(seed), Draws(condition).condition() if condition else None
    if action == "Query":
        return draws.query(keys, of)
    return draws.read(action, keys) if "Get" in action else draws.write(action, keys, of)


@dataclass
class Sequence:
    """A table, and what is asked of it one after the other."""

    keys: Keys
    requests: list[Request]


def _sequence(keys: Keys, items: list[int], requests: list[tuple[str, int, int]]) -> Sequence:
    puts = [
        Request("PutItem", {"TableName": TABLE, "Item": Draws(seed).item(keys)}) for seed in items
    ]
    return Sequence(keys, [*puts, *(_request(keys, *of) for of in requests)])


ACTIONS = (
    *("UpdateItem", "UpdateItem", "UpdateItem", "PutItem", "DeleteItem"),
    *("Query", "Query", "GetItem", "BatchGetItem"),
)
SEEDS = st.one_of(*map(seeds, (8, 16, 26)))
MAYBE = st.one_of(st.just(0), SEEDS, SEEDS)
SEQUENCES = st.tuples(
    st.sampled_from(SCHEMAS),
    st.lists(SEEDS, min_size=1, max_size=5),
    st.lists(st.tuples(st.sampled_from(ACTIONS), SEEDS, MAYBE), min_size=1, max_size=12),
).map(lambda drawn: _sequence(*drawn))
