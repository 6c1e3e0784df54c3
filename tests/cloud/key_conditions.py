"""Key conditions: one partition, and a range of its sort keys."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from tests.cloud.keys import Keys, Place
from tests.cloud.refusing import Mistake, refused
from tests.cloud.tokens import FindPath, Scope, Tokens
from tests.cloud.values import order

SIGNS = ("=", "<", "<=", ">", ">=")


class Part(NamedTuple):
    """One comparison of a key attribute, with the placeholders of its values."""

    path: FindPath
    sign: str
    values: tuple[str, ...]


class KeyCondition(NamedTuple):
    parts: tuple[Part, ...]
    used: frozenset[str]


class Range(NamedTuple):
    """Where to look: a partition, and from which place to which."""

    partition: Any
    first: Callable[[list[Place]], int]
    last: Callable[[list[Place]], int]


@lru_cache(maxsize=1_024)
def key_condition(text: str) -> KeyCondition:
    """Raises: Mistake, for what DynamoDB would not parse, or not take here."""
    tokens = Tokens(text)
    parts = [_part(tokens)]
    if tokens.took("AND"):
        parts.append(_part(tokens))
    tokens.end()
    return KeyCondition(tuple(parts), tokens.used)


def range_of(wanted: KeyCondition, keys: Keys, scope: Scope) -> Range:
    """Raises: Mistake: it does not fit the schema."""
    by_name: dict[str, Part] = {}
    for part in wanted.parts:
        (name,) = part.path(scope)
        by_name[name] = part
        if any(keys.type_of(name) not in scope.values[value] for value in part.values):
            raise Mistake("ValidationException: Condition parameter type does not match schema")
        if any(scope.values[value] == {"S": ""} for value in part.values):
            message = "The AttributeValue for a key attribute cannot contain an empty string value"
            raise refused("ValidationException", message)
    if len(by_name) < len(wanted.parts) or not {*by_name} <= {*keys.names}:
        raise Mistake(f"ValidationException: Query key condition not supported: {[*by_name]}")
    first = by_name.get(keys.partition)
    if first is None or first.sign != "=":
        raise Mistake(f"ValidationException: Query condition missed key schema: {keys.partition}")
    partition = order(scope.values[first.values[0]])
    second = by_name.get(keys.sort) if keys.sort else None
    if second is None:
        return Range(partition, lambda places: 0, len)
    return _between(partition, second.sign, [order(scope.values[one]) for one in second.values])


def _part(tokens: Tokens) -> Part:
    if tokens.took("("):
        part = _part(tokens)
        tokens.expect(")")
        return part
    if tokens.called("begins_with"):
        tokens.expect("(")
        path = tokens.path()
        tokens.expect(",")
        prefix = tokens.value()
        tokens.expect(")")
        return Part(path, "begins_with", (prefix,))
    path = tokens.path()
    if tokens.took("BETWEEN"):
        low = tokens.value()
        tokens.expect("AND")
        return Part(path, "BETWEEN", (low, tokens.value()))
    sign = tokens.next()
    if sign not in SIGNS:
        raise Mistake(f"ValidationException: Invalid operator in a key condition: {sign}")
    return Part(path, sign, (tokens.value(),))


SORT = itemgetter(0)


def _from(value: Any) -> Callable[[list[Place]], int]:
    return lambda places: bisect_left(places, value, key=SORT)


def _after(value: Any) -> Callable[[list[Place]], int]:
    return lambda places: bisect_right(places, value, key=SORT)


def _between(partition: Any, sign: str, values: list[Any]) -> Range:
    low, high = values[0], values[-1]
    match sign:
        case "begins_with":
            if not isinstance(low, str) or not low:
                raise Mistake("ValidationException: begins_with takes text")
            return Range(partition, _from(low), _past(low))
        case "=" | "BETWEEN":
            if low > high:
                message = "The BETWEEN operator requires upper bound to be greater than the lower"
                raise refused("ValidationException", message)
            return Range(partition, _from(low), _after(high))
        case "<" | "<=":
            return Range(partition, lambda places: 0, _from(high) if sign == "<" else _after(high))
        case _:
            return Range(partition, _after(low) if sign == ">" else _from(low), len)


def _past(prefix: str) -> Callable[[list[Place]], int]:
    """Behind all that begins so: before the first text that is larger and does not."""
    kept = prefix.rstrip("\U0010ffff")
    if not kept:
        return len
    return _from(kept[:-1] + chr(ord(kept[-1]) + 1))
