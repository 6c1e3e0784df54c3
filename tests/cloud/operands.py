"""What expressions compare and compute with: values, attributes, and the size of one."""

from collections.abc import Callable
from typing import Any

from tests.cloud.refusing import refused
from tests.cloud.tokens import Scope, Tokens
from tests.cloud.values import Value, binary

Find = Callable[[Scope], Value | None]
SIZED: dict[str, Callable[[Any], int]] = {
    **dict.fromkeys(("S", "M", "L", "SS", "NS", "BS"), len),
    "B": lambda held: len(binary(held)),
}


def operand(tokens: Tokens) -> Find:
    """A value, an attribute, or the size of one."""
    if tokens.peek().startswith(":"):
        token = tokens.value()
        return lambda scope: scope.values[token]
    if tokens.called("size"):
        tokens.expect("(")
        path = tokens.path()
        tokens.expect(")")
        return lambda scope: _size(scope.get(path(scope)))
    path = tokens.path()
    return lambda scope: scope.get(path(scope))


def _size(value: Value | None) -> Value | None:
    if value is None:
        return None
    ((kind, held),) = value.items()
    if kind not in SIZED:
        raise refused("ValidationException", f"Invalid operand type for size: {kind}")
    return {"N": str(SIZED[kind](held))}
