"""The words of DynamoDB's expressions, and the paths among them; what is wrong is a `Mistake`."""

import re
from collections.abc import Callable
from typing import Any

from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

from tests.cloud.refusing import Mistake
from tests.cloud.values import Item, Value

# A name begins with a letter: https://github.com/aws/aws-sdk-js/issues/1691
TOKEN = re.compile(r"\s*(>=|<=|<>|[=<>(),.+-]|[#:]\w+|[A-Za-z]\w*)\s*", re.ASCII)
LONGEST, MOST_OPERATORS = 4_096, 300
RESERVED = {word.upper() for word in ReservedKeywords.get_reserved_keywords()}
Path = tuple[str, ...]
FindPath = Callable[["Scope"], Path]
Check = Callable[["Scope"], None]
"""Raises for what the values of a request do not allow, whatever the item is."""


class Scope:
    """What an expression reads: the item as it was before, names, and cleaned values."""

    __slots__ = ("item", "names", "values")

    def __init__(self, item: Item, names: dict[str, str], values: dict[str, Value]) -> None:
        self.item, self.names, self.values = item, names, values

    def get(self, path: Path) -> Value | None:
        found = self.item.get(path[0])
        for part in path[1:]:
            held: Item = found.get("M", {}) if found else {}
            found = held.get(part)
        return found


class Tokens:
    """One expression, read from left to right; it notes what it names."""

    def __init__(self, text: str) -> None:
        if len(text.encode()) > LONGEST:
            raise Mistake("ValidationException: Expression size has exceeded the maximum")
        self._all: list[str] = []
        at = 0
        while at < len(text):
            found = TOKEN.match(text, at)
            if not found:
                raise Mistake(f"ValidationException: syntax error at {text[at : at + 20]!r}")
            self._all.append(found[1])
            at = found.end()
        self.at = self.operators = 0
        self.roots: set[str] = set()
        """Of the paths: attributes, by name or by placeholder."""
        self.groups: dict[int, int] = {}
        """Where each parenthesis of a condition begins and ends."""
        self.checks: list[Check] = []

    @property
    def used(self) -> frozenset[str]:
        """Placeholders of names and values."""
        return frozenset(one for one in self._all if one[0] in "#:")

    def peek(self) -> str:
        return self._all[self.at] if self.at < len(self._all) else ""

    def word(self) -> str:
        """The next one, as keywords are compared: they may be written small."""
        return self.peek().upper()

    def next(self) -> str:
        token = self.peek()
        if not token:
            raise Mistake("ValidationException: the expression ends too early")
        self.at += 1
        return token

    def expect(self, token: str) -> None:
        found = self.next()
        if found.upper() != token:
            raise Mistake(f"ValidationException: {found!r} where {token!r} should stand")

    def took(self, token: str) -> bool:
        """Whether that is next, which is then behind."""
        if self.word() != token:
            return False
        self.at += 1
        return True

    def called(self, function: str) -> bool:
        """Whether that function is next, the name of which is then behind; names are exact."""
        if self.peek() != function:
            return False
        self.at += 1
        self.operator()
        return True

    def end(self) -> None:
        if self.peek():
            raise Mistake(f"ValidationException: {self.peek()!r} is too much")

    def operator(self) -> None:
        self.operators += 1
        if self.operators > MOST_OPERATORS:
            raise Mistake("ValidationException: the expression has more than 300 operators")

    def path(self) -> FindPath:
        """An attribute, or a place in a map; elements of lists are not of this double."""
        parts = [self._name()]
        self.roots.add(parts[0])
        while self.took("."):
            parts.append(self._name())
        if not any(part[0] == "#" for part in parts):
            fixed = tuple(parts)
            return lambda scope: fixed
        if len(parts) == 1:
            only = parts[0]
            return lambda scope: (scope.names[only],)
        return lambda scope: tuple(scope.names[part] if part[0] == "#" else part for part in parts)

    def value(self) -> str:
        token = self.next()
        if token[0] != ":":
            raise Mistake(f"ValidationException: {token!r} is no value")
        return token

    def _name(self) -> str:
        token = self.next()
        if token[0] != "#" and (not token.isidentifier() or token.upper() in RESERVED):
            raise Mistake(f"ValidationException: {token!r} is reserved, or no name")
        return token


def check_used(asked: dict[str, Any], *used: frozenset[str]) -> None:
    """Every placeholder is defined, every definition used, and none of the two is empty."""
    names, values = asked.get("ExpressionAttributeNames"), asked.get("ExpressionAttributeValues")
    if names == {} or values == {}:
        raise Mistake("ValidationException: ExpressionAttributeNames or -Values must not be empty")
    given = {*(names or ()), *(values or ())}
    wanted = used[0].union(*used[1:]) if used else frozenset[str]()
    if given != wanted:
        raise Mistake(f"ValidationException: given and used differ: {sorted(given ^ wanted)}")
