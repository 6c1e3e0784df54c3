"""Condition and filter expressions, parsed once and kept."""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tests.cloud.functions import FUNCTIONS, Test
from tests.cloud.operands import Find, operand
from tests.cloud.refusing import Mistake
from tests.cloud.tokens import Scope, Tokens
from tests.cloud.values import order

ORDERED = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
MOST_IN = 100


@dataclass(frozen=True, slots=True)
class Condition:
    """An expression that holds or not."""

    holds: Test
    used: frozenset[str]
    roots: frozenset[str]


@lru_cache(maxsize=4_096)
def condition(text: str) -> Condition:
    """Raises: Mistake, for what DynamoDB would not parse."""
    tokens = Tokens(text)
    holds = _any(tokens)
    tokens.end()
    return Condition(holds, tokens.used, frozenset(tokens.roots))


def _any(tokens: Tokens) -> Test:
    return _joined(tokens, "OR", _all, any)


def _all(tokens: Tokens) -> Test:
    return _joined(tokens, "AND", _one, all)


def _joined(
    tokens: Tokens,
    word: str,
    parse: Callable[[Tokens], Test],
    join: Callable[[list[bool]], bool],
) -> Test:
    tests = [parse(tokens)]
    while tokens.took(word):
        tokens.operator()
        tests.append(parse(tokens))
    if len(tests) == 1:
        return tests[0]
    # All are evaluated: an error in what need not be reached is an error all the same.
    return lambda scope: join([test(scope) for test in tests])


def _one(tokens: Tokens) -> Test:
    if tokens.took("NOT"):
        tokens.operator()
        test = _one(tokens)
        return lambda scope: not test(scope)
    if tokens.peek() == "(":
        return _group(tokens)
    if tokens.peek() in FUNCTIONS:
        tokens.operator()
        return FUNCTIONS[tokens.next()](tokens)
    return _compared(tokens)


def _group(tokens: Tokens) -> Test:
    tokens.expect("(")
    start, doubled = tokens.at, tokens.peek() == "("
    test = _any(tokens)
    if doubled and tokens.groups.get(start) == tokens.at:
        raise Mistake("ValidationException: The expression has redundant parentheses")
    tokens.expect(")")
    tokens.groups[start - 1] = tokens.at
    return test


def _compared(tokens: Tokens) -> Test:
    left = operand(tokens)
    tokens.operator()
    if tokens.took("BETWEEN"):
        low = operand(tokens)
        tokens.expect("AND")
        high = operand(tokens)
        above, below = _ordered(left, low, operator.ge), _ordered(left, high, operator.le)
        return lambda scope: above(scope) and below(scope)
    if tokens.took("IN"):
        return _in(tokens, left)
    sign = tokens.next()
    if sign in ORDERED:
        return _ordered(left, operand(tokens), ORDERED[sign])
    if sign not in ("=", "<>"):
        raise Mistake(f"ValidationException: {sign!r} compares nothing")
    right, equal = operand(tokens), sign == "="

    def test(scope: Scope) -> bool:
        a, b = left(scope), right(scope)
        if a is None or b is None:
            return not equal and a is not b
        return (a == b) is equal

    return test


def _ordered(left: Find, right: Find, compare: Callable[[Any, Any], bool]) -> Test:
    def test(scope: Scope) -> bool:
        a, b = left(scope), right(scope)
        if a is None or b is None or a.keys() != b.keys():
            return False
        one, other = order(a), order(b)
        if one is None:
            raise Mistake(f"ValidationException: Incorrect operand type: {sorted(a)} has no order")
        return compare(one, other)

    return test


def _in(tokens: Tokens, left: Find) -> Test:
    tokens.expect("(")
    members = [operand(tokens)]
    while tokens.took(","):
        members.append(operand(tokens))
    tokens.expect(")")
    if len(members) > MOST_IN:
        raise Mistake(f"ValidationException: IN takes {MOST_IN} operands at most")

    def test(scope: Scope) -> bool:
        found = left(scope)
        return found is not None and any(found == member(scope) for member in members)

    return test
