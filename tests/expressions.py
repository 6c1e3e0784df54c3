"""Condition and update expressions of DynamoDB, as strict as the real ones: reserved words, names
and values that are not used, paths that overlap, arithmetic on what is not there."""

import copy
import re
from typing import Any

from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

Item = dict[str, Any]
TOKEN = re.compile(r"\s*(>=|<=|<>|[=<>(),.+-]|[#:]?[A-Za-z_][A-Za-z0-9_]*)")
LONGEST, MOST_OPERATORS = 4_096, 300
RESERVED = {word.upper() for word in ReservedKeywords.get_reserved_keywords()}


class Scope:
    """Names, values, and the item as it was before: every part of an update reads that."""

    def __init__(self, item: Item, names: dict[str, str], values: Item) -> None:
        self.item, self._names, self._values = item, names, values

    def path(self, tokens: "Tokens") -> tuple[str, ...]:
        parts = [self._name(tokens.next())]
        while tokens.peek() == ".":
            tokens.next()
            parts.append(self._name(tokens.next()))
        return tuple(parts)

    def value(self, token: str) -> dict[str, Any]:
        value: dict[str, Any] = self._values[token]
        return value

    def get(self, path: tuple[str, ...]) -> dict[str, Any] | None:
        found: Any = {"M": self.item}
        for part in path:
            found = found.get("M", {}).get(part) if found else None
        return dict(found) if found else None

    def check_used(self, *expressions: str) -> None:
        for text in expressions:
            assert len(text.encode()) <= LONGEST, "ValidationException: expression size"
            operators = len(re.findall(r"[=<>+-]+|AND|OR|\b\w+\(", text))
            assert operators <= MOST_OPERATORS, "ValidationException: too many operators"
        used = set(re.findall(r"[#:]\w+", " ".join(expressions)))
        given = {*self._names, *self._values}
        assert given == used, f"ValidationException: given and used differ: {given ^ used}"

    def _name(self, token: str) -> str:
        if token.startswith("#"):
            return self._names[token]
        assert token.upper() not in RESERVED, f"ValidationException: reserved keyword {token}"
        return token


class Tokens:
    def __init__(self, text: str) -> None:
        self._left: list[str] = []
        at = 0
        while at < len(text):
            found = TOKEN.match(text, at)
            assert found, f"ValidationException: syntax error at {text[at : at + 20]!r}"
            self._left.append(found[1])
            at = found.end()

    def peek(self) -> str:
        return self._left[0] if self._left else ""

    def next(self) -> str:
        return self._left.pop(0)

    def expect(self, token: str) -> None:
        found = self.next()
        assert found == token, f"ValidationException: {found!r} where {token!r} should stand"


def condition(text: str, scope: Scope) -> bool:
    """Evaluate all of it, as the real one does: an error in what is not reached is an error."""
    tokens = Tokens(text)
    holds = _any(tokens, scope)
    assert not tokens.peek(), f"ValidationException: {tokens.peek()!r} after the condition"
    return holds


def _any(tokens: Tokens, scope: Scope) -> bool:
    holds = _all(tokens, scope)
    while tokens.peek() == "OR":
        tokens.next()
        other = _all(tokens, scope)
        holds = holds or other
    return holds


def _all(tokens: Tokens, scope: Scope) -> bool:
    holds = _one(tokens, scope)
    while tokens.peek() == "AND":
        tokens.next()
        other = _one(tokens, scope)
        holds = holds and other
    return holds


def _one(tokens: Tokens, scope: Scope) -> bool:
    if tokens.peek() == "(":
        tokens.next()
        holds = _any(tokens, scope)
        tokens.expect(")")
        return holds
    match tokens.peek():
        case "attribute_exists" | "attribute_not_exists" as name:
            return (_argument(tokens, scope) is not None) is (name == "attribute_exists")
        case "contains":
            tokens.next()
            tokens.expect("(")
            held = scope.get(scope.path(tokens))
            tokens.expect(",")
            wanted = scope.value(tokens.next())
            tokens.expect(")")
            return held is not None and wanted["S"] in held["SS"]
    left = _operand(tokens, scope)
    compared, right = tokens.next(), _operand(tokens, scope)
    if left is None or right is None or {*left} != {*right}:
        return False
    ((kind, a),) = left.items()
    b = right[kind]
    if kind == "N":
        a, b = int(a), int(b)
    return bool({"=": a == b, ">=": a >= b, "<": a < b}[compared])


def _argument(tokens: Tokens, scope: Scope) -> dict[str, Any] | None:
    tokens.next()
    tokens.expect("(")
    found = scope.get(scope.path(tokens))
    tokens.expect(")")
    return found


def _operand(tokens: Tokens, scope: Scope) -> dict[str, Any] | None:
    if tokens.peek() == "size":
        found = _argument(tokens, scope)
        return None if found is None else {"N": str(len(found["M"]))}
    if tokens.peek().startswith(":"):
        return scope.value(tokens.next())
    return scope.get(scope.path(tokens))


def update(text: str, scope: Scope, before: Item) -> Item:
    """The item after an update expression; every part reads the item before it."""
    after, tokens = copy.deepcopy(before), Tokens(text)
    touched: list[tuple[str, ...]] = []

    def touch(path: tuple[str, ...]) -> None:
        clash = [one for one in touched if one[: len(path)] == path or path[: len(one)] == one]
        assert not clash, f"ValidationException: two paths overlap: {path}, {clash}"
        touched.append(path)

    while tokens.peek():
        clause = tokens.next()
        while True:
            path = scope.path(tokens)
            touch(path)
            match clause:
                case "SET":
                    tokens.expect("=")
                    _set(after, path, _sum(tokens, scope))
                case "REMOVE":
                    _remove(after, path)
                case "ADD":
                    more, held = scope.value(tokens.next()), scope.get(path) or {"N": "0"}
                    _set(after, path, {"N": str(int(held["N"]) + int(more["N"]))})
                case _:
                    raise AssertionError(f"ValidationException: no clause {clause!r}")
            if tokens.peek() != ",":
                break
            tokens.next()
    return after


def _sum(tokens: Tokens, scope: Scope) -> dict[str, Any]:
    value = _term(tokens, scope)
    while tokens.peek() in ("+", "-"):
        sign, other = tokens.next(), _term(tokens, scope)
        more = int(other["N"])
        value = {"N": str(int(value["N"]) + (more if sign == "+" else -more))}
    return value


def _term(tokens: Tokens, scope: Scope) -> dict[str, Any]:
    if tokens.peek() == "if_not_exists":
        tokens.next()
        tokens.expect("(")
        found = scope.get(scope.path(tokens))
        tokens.expect(",")
        otherwise = _operand(tokens, scope)
        tokens.expect(")")
        value = found if found is not None else otherwise
    else:
        value = _operand(tokens, scope)
    assert value is not None, "ValidationException: an attribute that does not exist"
    return value


def _set(item: Item, path: tuple[str, ...], value: dict[str, Any]) -> None:
    *way, last = path
    for part in way:
        assert part in item, "ValidationException: the document path is invalid"
        item = item[part]["M"]
    item[last] = copy.deepcopy(value)


def _remove(item: Item, path: tuple[str, ...]) -> None:
    *way, last = path
    for part in way:
        item = item.get(part, {}).get("M", {})
    item.pop(last, None)
