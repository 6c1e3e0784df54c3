"""A global secondary index: sparse, projected, and as late as it is told to be."""

from collections import deque
from dataclasses import dataclass

from tests.cloud.keys import Key, Keys, Sorted, place
from tests.cloud.values import Item, item_size


@dataclass(frozen=True, slots=True)
class Projection:
    """What an index holds of an item; nothing named is everything."""

    keys_only: bool = False
    include: frozenset[str] = frozenset()

    @property
    def everything(self) -> bool:
        return not self.keys_only and not self.include


class Index:
    """Items that have its key, in the order of its sort key; behind the table, if that says so."""

    def __init__(self, name: str, keys: Keys, projection: Projection, table: Keys) -> None:
        self.name, self.keys, self.projection = name, keys, projection
        self.sorted = Sorted()
        self.items: dict[Key, Item] = {}
        """What the index holds, unprojected, as the table had it."""
        self._kept = sorted({*keys.names, *table.names, *projection.include})
        self._coming: deque[tuple[float, Key, Item | None]] = deque()

    def show(self, item: Item) -> Item:
        """What is seen of an item here."""
        if self.projection.everything:
            return item
        return {name: item[name] for name in self._kept if name in item}

    def write(self, key: Key, old: Item | None, new: Item | None, due: float | None) -> int:
        """Follow the table, at once or when it is `due`; the write units that it takes."""
        old, new = self._held(old), self._held(new)
        if old is None and new is None:
            return 0
        if due is None:
            self._apply(key, new)
        else:
            due = max(due, self._coming[-1][0]) if self._coming else due
            self._coming.append((due, key, new))
        return self._units(old, new)

    def catch_up(self, now: float) -> None:
        while self._coming and self._coming[0][0] <= now:
            _, key, item = self._coming.popleft()
            self._apply(key, item)

    def _held(self, item: Item | None) -> Item | None:
        if item is None or any(name not in item for name in self.keys.names):
            return None
        return item

    def _apply(self, key: Key, new: Item | None) -> None:
        old = self.items.pop(key, None)
        if new is not None:
            self.items[key] = new
        if old is not None and new is not None and self._same_key(old, new):
            return
        for item, change in ((old, self.sorted.drop), (new, self.sorted.add)):
            if item is not None:
                partition = self.keys.of(item)
                if self.keys.sort is not None:
                    partition = partition[0]
                change(partition, place(self.keys, item, key))

    def _same_key(self, old: Item, new: Item) -> bool:
        return all(old[name] == new[name] for name in self.keys.names)

    def _units(self, old: Item | None, new: Item | None) -> int:
        """One write for each entry that comes, goes or changes; two, if it moves:
        https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html"""
        if old is not None and new is not None and self._same_key(old, new):
            if self.projection.keys_only or self.show(old) == self.show(new):
                return 0
            return units(self.show(new))
        return sum(units(self.show(item)) for item in (old, new) if item is not None)


def units(item: Item) -> int:
    return max(1, -(-item_size(item) // 1_024))
