"""DynamoDB's typed values: what it stores of what it is given, how large that is, what is equal."""

import base64
import binascii
import re
from collections.abc import Callable
from decimal import Context, Decimal
from typing import Any

from tests.cloud.refusing import Mistake, refused

Value = dict[str, Any]
Item = dict[str, Value]
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
MOST_DIGITS, DEEPEST = 38, 32
TYPES = frozenset({"S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"})
EXACT = Context(prec=200)
MAP_BYTES = 3
"""Of a map or a list, beside one for each element; the counts are AWS's own:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html"""


def clean(value: Any, depth: int = 1) -> tuple[Value, int]:
    """The value as it is stored, sharing nothing with the caller's, and its bytes.

    Raises:
        Mistake: no value at all; AwsRefused: one that DynamoDB does not take.
    """
    if type(value) is not dict or len(value) != 1:
        raise Mistake(f"SerializationException: no typed value: {value!r}")
    ((kind, held),) = value.items()
    if kind == "S":
        return {"S": _text(held)}, text_size(held)
    if kind == "N":
        if not _plain(held):
            held = number_text(_number(_text(held)))
        return {"N": held}, number_size(held)
    if kind == "BOOL" or kind == "NULL":
        if type(held) is not bool or (kind == "NULL" and not held):
            raise Mistake(f"SerializationException: {value!r}")
        return {kind: held}, 1
    if kind == "M" or kind == "L":
        return _nested(kind, held, depth)
    if kind == "B":
        return {"B": held}, len(binary(held))
    if kind in _SETS:
        return _set(kind, held)
    raise Mistake(f"SerializationException: no type {kind!r}")


def clean_item(item: Any) -> tuple[Item, int]:
    """The same for all attributes of an item."""
    if type(item) is not dict:
        raise Mistake(f"SerializationException: no item: {item!r}")
    found: Item = {}
    total = 0
    for name, value in item.items():
        found[name], size = clean(value)
        total += text_size(name) + size
    return found, total


def measure(value: Value) -> int:
    """The bytes of a value that was cleaned."""
    ((kind, held),) = value.items()
    if kind == "S":
        return text_size(held)
    if kind == "N":
        return number_size(held)
    if kind == "M":
        return MAP_BYTES + sum(1 + text_size(name) + measure(one) for name, one in held.items())
    if kind == "L":
        return MAP_BYTES + sum(1 + measure(one) for one in held)
    if kind == "B":
        return len(binary(held))
    if kind in _SETS:
        return sum(measure({kind[0]: one}) for one in held)
    return 1


def item_size(item: Item) -> int:
    return sum(text_size(name) + measure(value) for name, value in item.items())


def text_size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def number_size(text: str) -> int:
    """A byte for two digits that count, and one more."""
    digits = text.lstrip("-").replace(".", "").strip("0")
    return (len(digits) + 1) // 2 + 1


def number(value: Value) -> int | Decimal:
    """The number of a cleaned value."""
    text: str = value["N"]
    return Decimal(text) if "." in text else int(text)


def number_text(found: int | Decimal) -> str:
    """As DynamoDB gives numbers back: no leading zeros, no trailing ones behind the point."""
    exact = Decimal(found)
    digits = exact.normalize(EXACT)
    if len(digits.as_tuple().digits) > MOST_DIGITS:
        raise refused(
            "ValidationException",
            f"Attempting to store more than {MOST_DIGITS} significant digits in a Number",
        )
    if digits and not -130 <= digits.adjusted() <= 125:
        raise refused("ValidationException", "Number overflow or underflow: magnitude")
    return f"{digits:f}" if digits else "0"


def order(value: Value) -> Any:
    """What values of one type are sorted by; None for types that have no order."""
    ((kind, held),) = value.items()
    if kind == "S":
        return held  # code points sort as their UTF-8 does
    if kind == "N":
        return number(value)
    return binary(held) if kind == "B" else None


def binary(held: Any) -> bytes:
    try:
        return base64.b64decode(held, validate=True)
    except (binascii.Error, ValueError, TypeError) as err:
        raise Mistake(f"SerializationException: no base64: {held!r}") from err


def _text(held: Any) -> str:
    if type(held) is not str:
        raise Mistake(f"SerializationException: {held!r} is no text")
    if not held.isascii():
        try:
            held.encode()
        except UnicodeEncodeError as err:
            raise refused("SerializationException", "a lone surrogate") from err
    return held


def _plain(held: Any) -> bool:
    """Whether it is a whole number just as it is stored; most are."""
    if type(held) is not str or not held.isascii() or not held.isdigit():
        return False
    return len(held) <= MOST_DIGITS and (held[0] != "0" or held == "0")


def _number(text: str) -> Decimal:
    if not NUMBER.fullmatch(text):
        message = f"The parameter cannot be converted to a numeric value: {text}"
        raise refused("ValidationException", message)
    return Decimal(text)


def _nested(kind: str, held: Any, depth: int) -> tuple[Value, int]:
    if depth > DEEPEST:
        raise refused("ValidationException", "Nesting Levels have exceeded supported limits")
    total = MAP_BYTES
    if kind == "L":
        listed: list[Value] = []
        for one in held:
            value, size = clean(one, depth + 1)
            listed.append(value)
            total += 1 + size
        return {"L": listed}, total
    named: Item = {}
    for name, one in held.items():
        named[name], size = clean(one, depth + 1)
        total += 1 + text_size(name) + size
    return {"M": named}, total


_SETS: dict[str, Callable[[Any], str]] = {
    "SS": _text,
    "NS": lambda held: number_text(_number(_text(held))),
    "BS": lambda held: held if binary(held) is not None else "",
}


def _set(kind: str, held: Any) -> tuple[Value, int]:
    if type(held) is not list:
        raise Mistake(f"SerializationException: {held!r} is no list")
    members = sorted(map(_SETS[kind], held))
    if not members:
        raise refused("ValidationException", "An set may not be empty")
    if len({*members}) < len(members):
        raise refused("ValidationException", f"Input collection {held} contains duplicates.")
    value = {kind: members}
    return value, measure(value)
