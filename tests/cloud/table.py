"""One table of the DynamoDB double: items by key, in order, with indexes that follow."""

from collections.abc import Callable
from typing import Any

from tests.cloud.index import Index, Projection
from tests.cloud.keys import Key, Keys, Sorted, place
from tests.cloud.refusing import refused
from tests.cloud.values import Item, clean_item

LARGEST_ITEM = 409_600
"""Bytes: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html"""


class Table:
    """What is stored is never changed in place: a write stores another item."""

    def __init__(
        self,
        keys: Keys,
        clock: Callable[[], float],
        lag: Callable[[], Callable[[], float] | None],
        **indexes: tuple[Keys, Projection],
    ) -> None:
        self.keys = keys
        self.items: dict[Key, Item] = {}
        self.units = 0
        """Write units, as they would be billed, those of the indexes included."""
        self.indexes = {
            name: Index(name, of, projection, keys) for name, (of, projection) in indexes.items()
        }
        self.sorted = Sorted()
        self._sizes: dict[Key, int] = {}
        self._clock, self._lag = clock, lag
        self._late: dict[Key, tuple[float, Item | None]] = {}
        """What an eventually consistent read may still see, and until when."""

    def add(self, *items: Item) -> None:
        """Store items as a test wants them, whatever is there, unbilled."""
        for item in items:
            cleaned, size = clean_item(item)
            units = self.units
            self.store(self.checked(cleaned), cleaned, size)
            self.units = units

    def change(self, *key: Any, **attributes: Any) -> None:
        """Set attributes of an item that is there; None drops one."""
        item = self.items[key[0] if len(key) == 1 else key] | attributes
        self.add({name: value for name, value in item.items() if value is not None})

    def checked(self, item: Item) -> Key:
        """The key of an item that may be stored here."""
        self.keys.check(item)
        for index in self.indexes.values():
            index.keys.check(item, index.name)
        return self.keys.of(item)

    def size(self, key: Key) -> int:
        return self._sizes.get(key, 0)

    def get(self, key: Key, *, consistent: bool) -> Item | None:
        if not consistent and (late := self._late.get(key)):
            if self._clock() < late[0]:
                return late[1]
            del self._late[key]
        return self.items.get(key)

    def bill(self, key: Key) -> None:
        """Bill a write that changes nothing."""
        self.units += _units(self.size(key))

    def store(self, key: Key, after: Item | None, size: int = 0) -> None:
        """Put an item there, or None."""
        if size > LARGEST_ITEM:
            raise refused("ValidationException", "Item size has exceeded the maximum allowed size")
        before = self.items.get(key)
        self.units += _units(max(self.size(key), size))
        lag = self._lag()
        due = None
        if lag is not None:
            now = self._clock()
            due = now + lag()
            self._late[key] = (due, before)
        if after is not None:
            self.items[key], self._sizes[key] = after, size
        elif before is not None:
            del self.items[key], self._sizes[key]
        self._sort(key, before, after)
        for index in self.indexes.values():
            self.units += index.write(key, before, after, due)

    def _sort(self, key: Key, before: Item | None, after: Item | None) -> None:
        item = after if before is None else before
        if item is None or (before is None) is (after is None):
            return
        change = self.sorted.add if before is None else self.sorted.drop
        change(key if self.keys.sort is None else key[0], place(self.keys, item, key))


def _units(size: int) -> int:
    return max(1, -(-size // 1_024))
