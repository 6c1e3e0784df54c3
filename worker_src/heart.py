"""The heartbeat: what is in flight is held, message and lease, for as long as it is worked on."""

import asyncio
from collections.abc import Callable, Iterable

from claude_core.aws import AwsRefused
from claude_core.errors import AwsUnreachable
from claude_core.jobs.claims import Claims
from claude_core.jobs.sqs import TOGETHER, Queue
from worker_src.run import Run

LOOK_S = 5.0
AGAIN_S = 5.0
"""After a beat that failed."""


class Heart:
    """Beats for every run, each `every_s` seconds; one whose claim is lost is cancelled."""

    def __init__(
        self,
        runs: Callable[[], Iterable[Run]],
        *,
        claims: Claims,
        queue: Queue,
        every_s: float,
        visibility_s: int,
        now: Callable[[], float],
    ) -> None:
        self._runs, self._claims, self._queue, self._now = runs, claims, queue, now
        self._every_s, self._visibility_s = every_s, visibility_s

    async def beat_for_ever(self) -> None:
        look_s = min(LOOK_S, self._every_s / 4)
        while True:
            await asyncio.sleep(look_s)
            await self.beat()

    async def beat(self) -> None:
        """Hold what has not been held for a while."""
        now = self._now()
        due = [run for run in self._runs() if now - run.beaten >= self._every_s]
        for run in due:
            run.beaten = now  # once a round, whatever comes of it
        await asyncio.gather(*(self._lease(run) for run in due if run.claim))
        alive = [run for run in due if not run.lost]
        for at in range(0, len(alive), TOGETHER):
            await self._messages(alive[at : at + TOGETHER])

    async def _lease(self, run: Run) -> None:
        claim, began = run.claim, self._now()
        if claim is None:
            return
        try:
            held = await self._claims.renew(claim)
        except AwsUnreachable:
            run.beaten = self._now() - self._every_s + AGAIN_S
            return
        if held:
            run.held_until = began + self._visibility_s
        elif run.claim is claim:  # not one that has ended meanwhile
            run.lost = True
            if run.task:
                run.task.cancel()

    async def _messages(self, runs: list[Run]) -> None:
        # A message that could not be held comes again, finds the lease, and steps back.
        try:
            await self._queue.hide([(run.handle, self._visibility_s) for run in runs])
        except (AwsRefused, AwsUnreachable):
            for run in runs:
                run.beaten = self._now() - self._every_s + AGAIN_S
