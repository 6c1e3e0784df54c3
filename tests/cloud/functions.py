"""The functions of condition expressions."""

from collections.abc import Callable

from tests.cloud.operands import operand
from tests.cloud.refusing import Mistake
from tests.cloud.tokens import Scope, Tokens
from tests.cloud.values import Value

Test = Callable[[Scope], bool]


def _exists(wanted: bool) -> Callable[[Tokens], Test]:
    def parse(tokens: Tokens) -> Test:
        tokens.expect("(")
        path = tokens.path()
        tokens.expect(")")
        return lambda scope: (scope.get(path(scope)) is not None) is wanted

    return parse


def _of_two(test: Callable[[Value, Value], bool]) -> Callable[[Tokens], Test]:
    def parse(tokens: Tokens) -> Test:
        tokens.expect("(")
        path = tokens.path()
        tokens.expect(",")
        other = operand(tokens)
        tokens.expect(")")

        def holds(scope: Scope) -> bool:
            a, b = scope.get(path(scope)), other(scope)
            return a is not None and b is not None and test(a, b)

        return holds

    return parse


def _contains(value: Value, part: Value) -> bool:
    ((kind, held),), ((of, wanted),) = value.items(), part.items()
    if kind == "S":
        return of == "S" and wanted in held
    if kind == "L":
        return part in held
    return kind == f"{of}S" and wanted in held


def _begins(value: Value, start: Value) -> bool:
    if start.keys() != {"S"}:
        raise Mistake("ValidationException: begins_with takes text")
    return "S" in value and value["S"].startswith(start["S"])


FUNCTIONS: dict[str, Callable[[Tokens], Test]] = {
    "attribute_exists": _exists(True),
    "attribute_not_exists": _exists(False),
    "attribute_type": _of_two(lambda value, kind: kind["S"] in value),
    "contains": _of_two(_contains),
    "begins_with": _of_two(_begins),
}
