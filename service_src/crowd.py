"""A set that can be waited for until nobody is in it."""

import asyncio
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Crowd(Generic[T]):
    """Must be made on the event loop that waits for it."""

    def __init__(self) -> None:
        self._here: set[T] = set()
        self._empty = asyncio.Event()
        self._empty.set()

    def __len__(self) -> int:
        return len(self._here)

    def __iter__(self) -> Iterator[T]:
        """Those that are here now, whoever comes and goes meanwhile."""
        return iter(list(self._here))

    def add(self, one: T) -> None:
        self._here.add(one)
        self._empty.clear()

    def discard(self, one: T) -> None:
        self._here.discard(one)
        if not self._here:
            self._empty.set()

    async def gone(self) -> None:
        """Until nobody is here."""
        await self._empty.wait()
