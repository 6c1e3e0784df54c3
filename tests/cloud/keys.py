"""Key schemas: what a key must be, and how items of one partition are sorted."""

from bisect import bisect_left, insort
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from claude_core.aws import AwsRefused
from tests.cloud.refusing import Mistake, refused
from tests.cloud.values import Item, Value, clean, measure, order

LONGEST_PARTITION_KEY, LONGEST_SORT_KEY = 2_048, 1_024
Key = Any
"""A partition key's value; with a sort key, a pair."""


@dataclass(frozen=True)
class Keys:
    """The names of the key attributes; those that are `numbers` are numbers, the others text."""

    partition: str
    sort: str | None = None
    numbers: frozenset[str] = field(default_factory=frozenset)

    @cached_property
    def names(self) -> tuple[str, ...]:
        return (self.partition,) if self.sort is None else (self.partition, self.sort)

    def of(self, item: Item) -> Key:
        """The key of an item that was checked."""
        if self.sort is None:
            return order(item[self.partition])
        return order(item[self.partition]), order(item[self.sort])

    def parsed(self, key: Any) -> tuple[Item, Key]:
        """A key as a caller gives it: just these attributes."""
        if type(key) is not dict or key.keys() != {*self.names}:
            raise Mistake("ValidationException: The provided key element does not match the schema")
        cleaned = {name: clean(value)[0] for name, value in key.items()}
        self.check(cleaned)
        return cleaned, self.of(cleaned)

    def check(self, item: Item, index: str = "") -> None:
        """Each is there, of its type, not empty, and not too long; in an index it may be absent."""
        for name in self.names:
            value = item.get(name)
            if value is None:
                if index:
                    continue
                raise Mistake(f"ValidationException: Missing the key {name} in the item")
            wanted = self.type_of(name)
            if wanted not in value:
                raise self._bad(f"Type mismatch for key {name}: expected {wanted}", index)
            if value[wanted] == "":
                raise self._bad(f"a key attribute cannot contain an empty string: {name}", index)
            longest = LONGEST_PARTITION_KEY if name == self.partition else LONGEST_SORT_KEY
            if len(value[wanted]) * 4 > longest and measure(value) > longest:
                raise self._bad(f"{name} exceeds the size limit of {longest} bytes", index)

    def type_of(self, name: str) -> str:
        return "N" if name in self.numbers else "S"

    def _bad(self, message: str, index: str) -> AwsRefused:
        where = f" IndexName: {index}" if index else ""
        said = f"One or more parameter values were invalid: {message}{where}"
        return refused("ValidationException", said)


Place = tuple[Any, Key]
"""A sort key's value, and what tells items apart that have the same."""


class Sorted:
    """The places of items by partition, in order."""

    def __init__(self) -> None:
        self._partitions: dict[Any, list[Place]] = {}

    def add(self, partition: Any, place: Place) -> None:
        insort(self._partitions.setdefault(partition, []), place)

    def drop(self, partition: Any, place: Place) -> None:
        places = self._partitions[partition]
        del places[bisect_left(places, place)]
        if not places:
            del self._partitions[partition]

    def of(self, partition: Any) -> list[Place]:
        return self._partitions.get(partition, [])


def place(keys: Keys, item: Item, key: Key) -> Place:
    value: Value | None = item.get(keys.sort) if keys.sort else None
    return (0 if value is None else order(value)), key
