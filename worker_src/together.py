"""Calls of many tasks made as few: who comes while one is under way goes along with the next."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Together(Generic[T, R]):
    """`await together(item)` gives what the call that it went along with gave for it.

    A call that fails fails for all of its items.
    """

    def __init__(
        self,
        call: Callable[[list[T]], Awaitable[Sequence[R]]],
        *,
        most: int = 10,
        linger_s: float = 0.02,
    ) -> None:
        self._call, self._most, self._linger_s = call, most, linger_s
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._running: set[asyncio.Task[None]] = set()
        self._lingering: asyncio.Task[None] | None = None

    async def __call__(self, item: T) -> R:
        done: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        if len(self._waiting) >= self._most:
            self._send()
        elif self._lingering is None:
            self._lingering = self._start(self._linger())
        return await done

    async def _linger(self) -> None:
        await asyncio.sleep(self._linger_s)
        self._lingering = None
        while self._waiting:
            self._send()

    def _send(self) -> None:
        items, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
        self._start(self._made(items))

    async def _made(self, items: list[tuple[T, asyncio.Future[R]]]) -> None:
        items = [pair for pair in items if not pair[1].done()]  # its task may be gone
        if not items:
            return
        try:
            answers = await self._call([item for item, _ in items])
        except Exception as err:
            for _, done in items:
                if not done.done():
                    done.set_exception(err)
            return
        for (_, done), answer in zip(items, answers, strict=True):
            if not done.done():
                done.set_result(answer)

    def _start(self, doing: "asyncio._CoroutineLike[None]") -> asyncio.Task[None]:
        task = asyncio.create_task(doing)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task
