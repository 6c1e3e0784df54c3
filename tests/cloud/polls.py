"""Long polls that found nothing: each ends with the first messages, or when its time is over."""

import asyncio
from collections.abc import Callable
from typing import Any

Found = list[dict[str, Any]]
Take = Callable[[], Found]


class Polls:
    """Those of one queue, first come, first served; a poll that was cancelled takes nothing.

    They wait by futures and one timer of the event loop, so that a loop with a virtual clock
    drives them, and nothing runs while nothing happens.
    """

    def __init__(self, due_in: Callable[[], float | None], came: Callable[[], object]) -> None:
        """`due_in`: seconds until a message becomes visible by itself; `came`: it may have."""
        self._due_in, self._came = due_in, came
        self._waiting: dict[asyncio.Future[Found], Take] = {}
        self._timer: asyncio.TimerHandle | None = None

    async def wait(self, take: Take, wait_s: float) -> Found:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Found] = loop.create_future()
        self._waiting[answer] = take
        over = loop.call_later(wait_s, self._end, answer)
        self.look_ahead()
        try:
            return await answer
        finally:
            over.cancel()
            self._waiting.pop(answer, None)
            if not self._waiting:
                self._stop_timer()

    def serve(self) -> None:
        """Hand out what is visible now."""
        while self._waiting:
            answer, take = next(iter(self._waiting.items()))
            if not answer.done():
                found = take()
                if not found:
                    return
                answer.set_result(found)
            del self._waiting[answer]

    def look_ahead(self) -> None:
        """Wake when the next message becomes visible by itself; call it when that changed."""
        if not self._waiting:
            return
        due = self._due_in()
        if due is None:
            return
        loop = asyncio.get_running_loop()
        at = loop.time() + max(0.0, due)
        if self._timer is None or at < self._timer.when():
            self._stop_timer()
            self._timer = loop.call_at(at, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self._came()
        self.look_ahead()

    def _end(self, answer: "asyncio.Future[Found]") -> None:
        if not answer.done():
            answer.set_result([])

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
