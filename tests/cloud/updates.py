"""Update expressions, parsed once and kept: every part reads the item as it was before."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

from tests.cloud.operands import Operand, operand
from tests.cloud.places import put, remove
from tests.cloud.refusing import Mistake, refused
from tests.cloud.tokens import FindPath, Path, Scope, Tokens
from tests.cloud.values import EXACT, Item, Value, number, number_text

Change = Callable[[Item, Path, Scope], int]
"""Changes the new item at a path; the bytes that it has more."""
CLAUSES = ("SET", "REMOVE", "ADD", "DELETE")


@dataclass(frozen=True, slots=True)
class Update:
    """What is to be changed, and where."""

    changes: tuple[tuple[FindPath, Change], ...]
    used: frozenset[str]
    adds: bool
    """Whether anything in it adds to an item, or all of it only takes away."""

    def paths(self, scope: Scope) -> list[Path]:
        """What it touches.

        Raises:
            Mistake: two of them overlap.
        """
        paths = [path(scope) for path, _ in self.changes]
        check_overlaps(paths)
        return paths

    def apply(self, scope: Scope, after: Item, paths: list[Path]) -> int:
        """Change `after`, a copy of the item: the bytes that it has more.

        Raises:
            AwsRefused: the item as it is does not allow it; Mistake: no item would.
        """
        return sum(
            change(after, path, scope)
            for path, (_, change) in zip(paths, self.changes, strict=True)
        )


@lru_cache(maxsize=4_096)
def update(text: str) -> Update:
    """Raises: Mistake, for what DynamoDB would not parse."""
    tokens, seen = Tokens(text), set[str]()
    changes: list[tuple[FindPath, Change]] = []
    while tokens.peek():
        clause = tokens.next().upper()
        if clause not in CLAUSES or clause in seen:
            raise Mistake(f"ValidationException: no clause, or the second: {clause!r}")
        seen.add(clause)
        while True:
            start = tokens.at
            path = tokens.path()
            if clause in ("ADD", "DELETE") and tokens.at > start + 1:
                raise Mistake(f"ValidationException: {clause} is for attributes, not in maps")
            tokens.operator()
            changes.append((path, _change(clause, tokens)))
            if not tokens.took(","):
                break
    if not changes:
        raise Mistake("ValidationException: The expression can not be empty")
    return Update(tuple(changes), tokens.used, not seen.isdisjoint({"SET", "ADD"}))


def check_overlaps(paths: list[Path]) -> None:
    if len({path[0] for path in paths}) == len(paths):
        return
    for one, other in combinations(paths, 2):
        shared = min(len(one), len(other))
        if one[:shared] == other[:shared]:
            raise Mistake(f"ValidationException: Two document paths overlap: {one}, {other}")


def _change(clause: str, tokens: Tokens) -> Change:
    if clause == "REMOVE":
        return lambda after, path, scope: remove(after, path)
    if clause == "SET":
        tokens.expect("=")
        find = _sum(tokens)
        return lambda after, path, scope: put(after, path, find(scope))
    token = tokens.value()
    if clause == "ADD":
        return lambda after, path, scope: put(
            after, path, _added(scope.get(path), scope.values[token])
        )
    return lambda after, path, scope: _delete(after, path, scope.get(path), scope.values[token])


def _sum(tokens: Tokens) -> Callable[[Scope], Value]:
    left = _term(tokens)
    sign = tokens.peek()
    if sign not in ("+", "-"):
        return left
    tokens.next()
    tokens.operator()
    right, factor = _term(tokens), 1 if sign == "+" else -1
    return lambda scope: _plus(left(scope), right(scope), factor)


def _term(tokens: Tokens) -> Callable[[Scope], Value]:
    if tokens.called("if_not_exists"):
        tokens.expect("(")
        path = tokens.path()
        tokens.expect(",")
        nested = tokens.peek() == "if_not_exists"
        otherwise = _term(tokens) if nested else _there(operand(tokens))
        tokens.expect(")")

        def find(scope: Scope) -> Value:
            found, other = scope.get(path(scope)), otherwise
            return found if found is not None else other(scope)

        return find
    if tokens.called("list_append"):
        tokens.expect("(")
        first = _listed(tokens)
        tokens.expect(",")
        second = _listed(tokens)
        tokens.expect(")")
        return lambda scope: _appended(first(scope), second(scope))
    return _there(operand(tokens))


def _listed(tokens: Tokens) -> Callable[[Scope], Value]:
    """`test_update_expression_function_nesting` of Alternator's tests, run against DynamoDB:
    https://github.com/scylladb/scylladb/blob/master/test/alternator/test_update_expression.py"""
    if tokens.peek() == "list_append":
        raise Mistake("ValidationException: list_append is not allowed inside list_append")
    return _term(tokens)


def _there(of: Operand) -> Callable[[Scope], Value]:
    find = of.find

    def found(scope: Scope) -> Value:
        value = find(scope)
        if value is None:
            raise refused(
                "ValidationException",
                "The provided expression refers to an attribute that does not exist in the item",
            )
        return value

    return found


def _appended(first: Value, second: Value) -> Value:
    if "L" not in first or "L" not in second:
        raise _wrong_type()
    return {"L": [*first["L"], *second["L"]]}


def _plus(left: Value, right: Value, factor: int) -> Value:
    if "N" not in left or "N" not in right:
        raise _wrong_type()
    a, b = number(left), number(right) * factor
    if isinstance(a, int) and isinstance(b, int) and -(10**37) < a + b < 10**37:
        return {"N": str(a + b)}
    return {"N": number_text(EXACT.add(a, b))}


def _added(held: Value | None, more: Value) -> Value:
    ((kind, members),) = more.items()
    if kind == "N":
        return _plus(held or {"N": "0"}, more, 1)
    if kind not in ("SS", "NS", "BS"):
        raise Mistake("ValidationException: ADD takes a number or a set")
    if held is None:
        return more
    if kind not in held:
        raise _wrong_type()
    return {kind: sorted({*held[kind], *members})}


def _delete(after: Item, path: Path, held: Value | None, gone: Value) -> int:
    ((kind, members),) = gone.items()
    if kind not in ("SS", "NS", "BS"):
        raise Mistake("ValidationException: DELETE takes a set")
    if held is None:
        return 0
    if kind not in held:
        raise _wrong_type()
    left = [one for one in held[kind] if one not in members]
    return put(after, path, {kind: left}) if left else remove(after, path)


def _wrong_type() -> Exception:
    return refused(
        "ValidationException", "An operand in the update expression has an incorrect data type"
    )
