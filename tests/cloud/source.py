"""What a query reads: a table, or one of its indexes."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.cloud.index import Index
from tests.cloud.key_conditions import Range
from tests.cloud.keys import Key, Keys, Place, place
from tests.cloud.refusing import Mistake, Payload, refused, typed
from tests.cloud.table import Table
from tests.cloud.values import Item, clean_item

SELECT = (None, "COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES", "SPECIFIC_ATTRIBUTES")


@dataclass(frozen=True, slots=True)
class Source:
    """A table, and the index that stands before it."""

    table: Table
    index: Index | None

    @classmethod
    def of(cls, table: Table, asked: Payload, now: float) -> "Source":
        """The one that is asked for, as it is seen now."""
        name, select = asked.get("IndexName"), asked.get("Select")
        specific = select == "SPECIFIC_ATTRIBUTES"
        if select not in SELECT or (
            select is not None and specific is not ("ProjectionExpression" in asked)
        ):
            raise Mistake(f"ValidationException: Select {select!r}")
        if name is None:
            if select == "ALL_PROJECTED_ATTRIBUTES":
                raise Mistake(f"ValidationException: {select} is for indexes")
            return cls(table, None)
        index = table.indexes.get(name)
        if index is None:
            raise Mistake(f"ValidationException: The table does not have the index: {name}")
        if typed(asked, "ConsistentRead", bool, False):
            raise Mistake("ValidationException: no consistent reads on global secondary indexes")
        if select == "ALL_ATTRIBUTES" and not index.projection.everything:
            raise Mistake("ValidationException: ALL_ATTRIBUTES of an index that has not all")
        index.catch_up(now)
        return cls(table, index)

    @property
    def keys(self) -> Keys:
        return (self.index or self.table).keys

    def run(self, wanted: Range, asked: Payload) -> Iterator[Key]:
        """Primary keys in order, from where the last page ended."""
        places = (self.index or self.table).sorted.of(wanted.partition)
        low, high = wanted.first(places), wanted.last(places)
        forward = typed(asked, "ScanIndexForward", bool, True)
        if "ExclusiveStartKey" in asked:
            start = self._start(asked["ExclusiveStartKey"], wanted)
            if forward:
                low = max(low, bisect_right(places, start))
            else:
                high = min(high, bisect_left(places, start))
        way = range(low, high) if forward else range(high - 1, low - 1, -1)
        return (places[at][1] for at in way)

    def item(self, key: Key) -> Item:
        if self.index is None:
            return self.table.items[key]
        return self.index.show(self.index.items[key])

    def last_key(self, key: Key) -> Item:
        item = self.table.items[key] if self.index is None else self.index.items[key]
        return {name: item[name] for name in self._names}

    @property
    def _names(self) -> dict[str, None]:
        return dict.fromkeys((*self.table.keys.names, *self.keys.names))

    def _start(self, given: Any, wanted: Range) -> Place:
        item, _ = clean_item(given)
        if item.keys() != self._names.keys():
            raise Mistake("ValidationException: The provided starting key is invalid")
        self.table.keys.check(item)
        self.keys.check(item)
        found = self.keys.of(item)
        if (found if self.keys.sort is None else found[0]) != wanted.partition:
            message = "The provided starting key is outside query boundaries"
            raise refused("ValidationException", message)
        start = place(self.keys, item, self.table.keys.of(item))
        if wanted.first([start]) != 0 or wanted.last([start]) != 1:
            # https://github.com/architect/dynalite/blob/main/actions/query.js
            message = "The provided starting key does not match the range key predicate"
            raise refused("ValidationException", message)
        return start
