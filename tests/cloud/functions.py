"""The functions of condition expressions."""

from collections.abc import Callable

from tests.cloud.operands import check_distinct, check_types, operand
from tests.cloud.refusing import Mistake
from tests.cloud.tokens import Scope, Tokens
from tests.cloud.values import TYPES, Value, binary

Test = Callable[[Scope], bool]


def _exists(wanted: bool) -> Callable[[Tokens], Test]:
    def parse(tokens: Tokens) -> Test:
        tokens.expect("(")
        path = tokens.path()
        tokens.expect(")")
        return lambda scope: (scope.get(path(scope)) is not None) is wanted

    return parse


def _of_two(
    name: str, kinds: frozenset[str], test: Callable[[Value, Value], bool]
) -> Callable[[Tokens], Test]:
    def parse(tokens: Tokens) -> Test:
        tokens.expect("(")
        path = tokens.path()
        tokens.expect(",")
        second = operand(tokens)
        tokens.expect(")")
        check_types(tokens, name, kinds, second)
        check_distinct(tokens, name, path, second)
        other = second.find

        def holds(scope: Scope) -> bool:
            a, b = scope.get(path(scope)), other(scope)
            return a is not None and b is not None and test(a, b)

        return holds

    return parse


def _is_type(tokens: Tokens) -> Test:
    tokens.expect("(")
    path = tokens.path()
    tokens.expect(",")
    token = tokens.value()
    tokens.expect(")")

    def check(scope: Scope) -> None:
        if scope.values[token].get("S") not in TYPES:
            raise Mistake(f"ValidationException: Invalid attribute type: {scope.values[token]}")

    tokens.checks.append(check)
    return lambda scope: scope.values[token]["S"] in (scope.get(path(scope)) or ())


def _contains(value: Value, part: Value) -> bool:
    ((kind, held),), ((of, wanted),) = value.items(), part.items()
    if kind == "S":
        return of == "S" and wanted in held
    if kind == "B":
        return of == "B" and binary(wanted) in binary(held)
    if kind == "L":
        return part in held
    return kind == f"{of}S" and wanted in held


def _begins(value: Value, start: Value) -> bool:
    ((kind, held),), ((of, wanted),) = value.items(), start.items()
    if kind == "B":
        return of == "B" and binary(held).startswith(binary(wanted))
    return kind == of == "S" and held.startswith(wanted)


FUNCTIONS: dict[str, Callable[[Tokens], Test]] = {
    "attribute_exists": _exists(True),
    "attribute_not_exists": _exists(False),
    "attribute_type": _is_type,
    "contains": _of_two("contains", TYPES, _contains),
    "begins_with": _of_two("begins_with", frozenset({"S", "B"}), _begins),
}
