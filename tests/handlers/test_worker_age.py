"""How old the oldest job is, as its worker knows it: what the alarm on the promise watches."""

import asyncio
from typing import Any, cast

from claude_core.jobs.queue_message import Pointer
from claude_core.jobs.sqs import Message, Queue
from claude_core.telemetry import Telemetry
from worker_src.governor import Governor
from worker_src.leaving import Leaving
from worker_src.slots import Slots
from worker_src.work import Work
from worker_src.worker import Worker

NOW = 1_000_000.0


class OneMessage:
    """A queue that hands out one message, sent an hour ago, and then none."""

    def __init__(self) -> None:
        text = Pointer("job_a_b", "a", "claude-haiku-5-5", 10).to_text()
        self._given = [Message(text, "handle", receives=9, sent=NOW - 3_600, id="1")]
        self.empty = asyncio.Event()

    async def receive(self, *_: Any, **__: Any) -> list[Message]:
        if self._given:
            return [self._given.pop()]
        self.empty.set()
        await asyncio.Event().wait()
        return []


class GoesBack:
    """Work that lets go of every job at once, since Claude takes none."""

    async def do(self, run: Any) -> None:
        return


async def ages() -> tuple[float, float, float]:
    queue = OneMessage()
    worker = Worker(
        queue=cast(Queue, queue),
        dead_letters=cast(Queue, queue),
        work=cast(Work, GoesBack()),
        leaving=cast(Leaving, None),
        slots=Slots(jobs=20, bytes=1_000, now=lambda: NOW),
        governor=Governor(lambda: NOW),
        telemetry=Telemetry("tests"),
        visibility_s=120,
        drain_s=1.0,
        now=lambda: NOW,
    )
    before = worker.oldest_s()
    running = asyncio.create_task(worker.run())
    await queue.empty.wait()
    seen = worker.oldest_s(), worker.oldest_s()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return before, *seen


def test_a_job_that_was_let_go_at_once_is_as_old_as_it_is_and_told_of_once() -> None:
    assert asyncio.run(ages()) == (0.0, 3_600.0, 0.0)
