"""What expressions compare and compute with: values, attributes, and the size of one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.cloud.refusing import Mistake
from tests.cloud.tokens import FindPath, Scope, Tokens
from tests.cloud.values import Value, binary

Find = Callable[[Scope], Value | None]
SIZED: dict[str, Callable[[Any], int]] = {
    **dict.fromkeys(("M", "L", "SS", "NS", "BS"), len),
    # UTF-16, as Java counts: https://github.com/nubo-db/dynoxide/pull/34
    "S": lambda held: len(held) if held.isascii() else len(held.encode("utf-16-le")) // 2,
    "B": lambda held: len(binary(held)),
}


@dataclass(frozen=True, slots=True)
class Operand:
    """What is compared or computed with; a value of the request, or of the item."""

    find: Find
    value: str = ""
    """Its placeholder, if it is a value of the request."""
    path: FindPath | None = None
    """Where it is in the item, if it is just an attribute."""


def operand(tokens: Tokens) -> Operand:
    """A value, an attribute, or the size of one."""
    if tokens.peek().startswith(":"):
        token = tokens.value()
        return Operand(lambda scope: scope.values[token], value=token)
    if tokens.called("size"):
        tokens.expect("(")
        sized = tokens.path()
        tokens.expect(")")
        return Operand(lambda scope: _size(scope.get(sized(scope))))
    path = tokens.path()
    return Operand(lambda scope: scope.get(path(scope)), path=path)


def check_types(tokens: Tokens, what: str, kinds: frozenset[str], *operands: Operand) -> None:
    """Let values of the request be of these types; attributes of another one just do not match.

    https://github.com/scylladb/scylladb/blob/master/test/alternator/test_condition_expression.py,
    which is run against DynamoDB, has that of every operator and function.
    """
    for token in (one.value for one in operands if one.value):

        def check(scope: Scope, token: str = token) -> None:
            (kind,) = scope.values[token]
            if kind not in kinds:
                raise Mistake(f"ValidationException: Incorrect operand type: {what} of {kind}")

        tokens.checks.append(check)


def check_distinct(tokens: Tokens, what: str, one: FindPath, other: Operand) -> None:
    """Refuse an attribute that is compared with itself; `contains (a, a)` is documented, the rest
    is dynalite's: https://github.com/architect/dynalite/blob/main/db/conditionParser.pegjs"""
    if (path := other.path) is None:
        return

    def check(scope: Scope) -> None:
        if one(scope) == path(scope):
            raise Mistake(f"ValidationException: The first operand must be distinct: {what}")

    tokens.checks.append(check)


def _size(value: Value | None) -> Value | None:
    """None for a type that has no size: https://github.com/scylladb/scylladb/issues/14592"""
    if value is None:
        return None
    ((kind, held),) = value.items()
    return {"N": str(SIZED[kind](held))} if kind in SIZED else None
