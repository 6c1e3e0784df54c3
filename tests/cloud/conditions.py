"""Condition and filter expressions, parsed once and kept."""

import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tests.cloud.functions import FUNCTIONS, Test
from tests.cloud.operands import Operand, check_distinct, check_types, operand
from tests.cloud.refusing import Mistake, refused
from tests.cloud.tokens import Check, Scope, Tokens
from tests.cloud.values import order

IN_ORDER = frozenset({"S", "N", "B"})
ORDERED = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
MOST_IN = 100


@dataclass(frozen=True, slots=True)
class Condition:
    """An expression that holds or not."""

    holds: Test
    used: frozenset[str]
    roots: frozenset[str]
    checks: tuple[Check, ...]

    def check(self, scope: Scope) -> None:
        """Raises: Mistake, AwsRefused: no item could be compared with these values."""
        for check in self.checks:
            check(scope)


@lru_cache(maxsize=4_096)
def condition(text: str) -> Condition:
    """Raises: Mistake, for what DynamoDB would not parse."""
    tokens = Tokens(text)
    holds = _any(tokens)
    tokens.end()
    return Condition(holds, tokens.used, frozenset(tokens.roots), tuple(tokens.checks))


def _any(tokens: Tokens) -> Test:
    return _joined(tokens, "OR", _all, any)


def _all(tokens: Tokens) -> Test:
    return _joined(tokens, "AND", _one, all)


def _joined(
    tokens: Tokens,
    word: str,
    parse: Callable[[Tokens], Test],
    join: Callable[[Iterable[bool]], bool],
) -> Test:
    tests = [parse(tokens)]
    while tokens.took(word):
        tokens.operator()
        tests.append(parse(tokens))
    if len(tests) == 1:
        return tests[0]
    return lambda scope: join(test(scope) for test in tests)


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
        return _between(tokens, left, low, operand(tokens))
    if tokens.took("IN"):
        return _in(tokens, left)
    sign = tokens.next()
    right = operand(tokens)
    if left.path is not None:
        check_distinct(tokens, sign, left.path, right)
    if sign in ORDERED:
        check_types(tokens, sign, IN_ORDER, left, right)
        return _ordered(left, right, ORDERED[sign])
    if sign not in ("=", "<>"):
        raise Mistake(f"ValidationException: {sign!r} compares nothing")
    return _equal(left, right, sign == "=")


def _equal(left: Operand, right: Operand, equal: bool) -> Test:
    """What is not there is equal to nothing, not even to something else that is not there:
    `test_update_condition_ne_two_unset` of the tests that `check_types` names."""
    one, other = left.find, right.find

    def test(scope: Scope) -> bool:
        a, b = one(scope), other(scope)
        return (a is not None and a == b) is equal

    return test


def _ordered(left: Operand, right: Operand, compare: Callable[[Any, Any], bool]) -> Test:
    one, other = left.find, right.find

    def test(scope: Scope) -> bool:
        a, b = one(scope), other(scope)
        if a is None or b is None or a.keys() != b.keys():
            return False
        first = order(a)
        return first is not None and compare(first, order(b))

    return test


def _between(tokens: Tokens, what: Operand, low: Operand, high: Operand) -> Test:
    check_types(tokens, "BETWEEN", IN_ORDER, what, low, high)
    if low.value and high.value:
        tokens.checks.append(lambda scope: _check_bounds(scope, low.value, high.value))
    above, below = _ordered(what, low, operator.ge), _ordered(what, high, operator.le)
    return lambda scope: above(scope) and below(scope)


def _check_bounds(scope: Scope, low: str, high: str) -> None:
    """https://github.com/ExtendDB/extenddb/issues/99"""
    one, other = scope.values[low], scope.values[high]
    if one.keys() != other.keys():
        raise Mistake("ValidationException: BETWEEN requires bounds of the same data type")
    if order(one) > order(other):
        message = "The BETWEEN operator requires upper bound to be greater than the lower"
        raise refused("ValidationException", message)


def _in(tokens: Tokens, what: Operand) -> Test:
    tokens.expect("(")
    left = what.find
    members = [operand(tokens).find]
    while tokens.took(","):
        members.append(operand(tokens).find)
    tokens.expect(")")
    if len(members) > MOST_IN:
        raise Mistake(f"ValidationException: IN takes {MOST_IN} operands at most")

    def test(scope: Scope) -> bool:
        found = left(scope)
        return found is not None and any(found == member(scope) for member in members)

    return test
