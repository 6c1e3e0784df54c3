"""The queue's event source, as Lambda plays it: messages to a process of the function, one call at
a time; those of a call that went well are deleted, but for those that it names as failed."""

import asyncio
from typing import Any

from lambda_src.batch_lane import Lane
from lambda_src.batch_time import Time
from tests.faults.batch_world import BatchWorld
from tests.faults.process import Process

POLL_S = 20
LONGEST_S = 14 * 86_400.0
"""Of virtual time."""


class Source:
    """One of them; the first process is killed at `kill_at`, and then there is another."""

    def __init__(self, world: BatchWorld, *, kill_at: int | None = None, most: int = 10) -> None:
        self._world, self._most = world, most
        self._url = world.settings.batch_queue
        self.processes = [Process("call-0", kill_at=kill_at or self._end())]
        self._lane = world.lane()

    async def run(self) -> None:
        """Until the queue is empty, with nothing in flight and nothing delayed."""
        while self._world.cloud.sqs.queues[self._url].messages:
            assert self._world.loop.time() < LONGEST_S, "it does not end"
            found = await self._receive()
            if found:
                failed = await self._call([one["Body"] for one in found])
                if failed is not None:
                    await self._delete([one for at, one in enumerate(found) if at not in failed])

    async def _call(self, texts: list[str]) -> list[int] | None:
        """The places of the messages that failed; None: the process was killed."""
        if self.processes[-1].dead:
            name = f"call-{len(self.processes)}"
            self.processes.append(Process(name, kill_at=self._end()))
            self._lane = self._world.lane()
        process, failed = self.processes[-1], list[int]()
        process.main = process.start(self._handle(self._lane, texts, failed))
        try:
            async with asyncio.timeout(self._world.shape.timeout_s):
                await process.ended()
        except TimeoutError:
            process.kill()
        return None if process.dead else failed

    def _end(self) -> int | None:
        """The step at which the next process is killed."""
        shape = self._world.shape
        if not shape.kill_every or self._world.loop.time() > shape.quiet_after_s:
            return None
        return round(self._world.rand.expovariate(1 / shape.kill_every)) + 1

    async def _handle(self, lane: Lane, texts: list[str], failed: list[int]) -> None:
        failed += await lane.handle(texts, Time.of(self._world.shape.timeout_s))

    async def _receive(self) -> list[dict[str, Any]]:
        asked = {
            "QueueUrl": self._url,
            "MaxNumberOfMessages": min(10, self._most),
            "WaitTimeSeconds": POLL_S,
        }
        answer = await self._world.cloud.sqs.call("ReceiveMessage", asked)
        return list(answer.get("Messages", []))

    async def _delete(self, messages: list[dict[str, Any]]) -> None:
        for one in messages:
            asked = {"QueueUrl": self._url, "ReceiptHandle": one["ReceiptHandle"]}
            await self._world.cloud.sqs.call("DeleteMessage", asked)
