"""A worker alone with a queue: what its jobs do, the test says."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, cast

from claude_core.aws import Aws
from claude_core.incoming import Incoming
from claude_core.jobs.queue_message import Pointer
from claude_core.jobs.sqs import Queue
from tests.cloud.cloud import Cloud, Do
from tests.cloud.faults import losing
from tests.cloud.refusing import Payload, refused
from tests.cloud.virtual import VirtualLoop
from tests.faults.world import Quiet
from worker_src.governor import Governor
from worker_src.leaving import Leaving
from worker_src.run import Run
from worker_src.slots import Slots
from worker_src.work import Work
from worker_src.worker import Worker

VISIBILITY_S, DRAIN_S = 120, 110.0


class Told(Quiet):
    """Telemetry that keeps whose crash it was."""

    def __init__(self) -> None:
        super().__init__()
        self.crashed_jobs: list[str] = []

    def crashed(self, incoming: Incoming, error: BaseException) -> None:
        super().crashed(incoming, error)
        self.crashed_jobs.append(incoming.request_id)


class Taking(Cloud):
    """Its queue and dead letters, and in place of `Work` and `Leaving`: `job` and `leave`."""

    def __init__(self, loop: VirtualLoop, *, slots: int = 20, bytes: int = 10_000) -> None:
        super().__init__(loop.clock, random.Random(1))
        self.loop = loop
        url, letters = self.sqs.add("now", visibility_s=VISIBILITY_S), self.sqs.add("now-dlq")
        self.messages = self.sqs.queues[url].messages
        self.letters = self.sqs.queues[letters].messages
        self.counts, self._send = self.sqs.queues[url].counts, self.sqs.queues[url].send
        aws = cast(Aws, self)
        self.queue, self.telemetry = Queue(aws, url), Told()
        self.begun: list[tuple[str, float]] = []
        """Jobs, and when each was begun."""
        self.left: list[str] = []
        """Jobs that were let go."""
        self.job: Callable[[Run], Awaitable[object]] = self.finish
        self.leave: Callable[[Run], Awaitable[object]] = self.let
        self.governor = Governor(loop.clock)
        self.worker = Worker(
            queue=self.queue,
            dead_letters=Queue(aws, letters),
            work=cast(Work, self),
            leaving=cast(Leaving, self),
            slots=Slots(jobs=slots, bytes=bytes, now=loop.clock),
            governor=self.governor,
            telemetry=self.telemetry,
            visibility_s=VISIBILITY_S,
            drain_s=DRAIN_S,
            now=loop.clock,
        )

    def send(self, job: str, client: str = "a", bytes: int = 1) -> None:
        self.post(Pointer(job, client, "a-model", bytes).to_text(), client)

    def post(self, body: str, client: str = "a") -> None:
        self._send(body, client, {}, 0)

    async def do(self, run: Run) -> None:
        self.begun.append((run.pointer.job, self.loop.time()))
        await self.job(run)

    async def let_go(self, run: Run) -> None:
        await self.leave(run)

    async def finish(self, run: Run) -> None:
        await self.queue.delete([run.handle])

    async def let(self, run: Run) -> None:
        await self.queue.hide([(run.handle, 0)])
        self.left.append(run.pointer.job)

    def lasting(self, seconds: float) -> Callable[[Run], Awaitable[None]]:
        """A job that is done after a while."""

        async def job(run: Run) -> None:
            await asyncio.sleep(seconds)
            await self.finish(run)

        return job

    def fail(self, one: str) -> None:
        """Let an action fail from now on."""
        self.around = losing(lambda action: "before" if action == one else None)

    def refuse(self, one: str) -> None:
        """Let an action be refused from now on."""

        async def around(service: str, action: str, payload: Payload, do: Do) -> Any:
            if action == one:
                raise refused("AccessDenied", "not allowed")
            return await do()

        self.around = around


Doing = Callable[[Taking], Coroutine[Any, Any, None]]


def play(doing: Doing, **shape: Any) -> Taking:
    """Run a worker while something is done, and drain it."""
    loop = VirtualLoop()
    one = Taking(loop, **shape)

    async def go() -> None:
        running = asyncio.create_task(one.worker.run())
        await doing(one)
        one.worker.drain()
        await running

    try:
        loop.run(go())
    finally:
        loop.close()
    assert not one.mistakes
    return one
