"""One submission, from its first request to the last answer."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress

from claude_core.jobs.job import Status
from claude_core.wire import Json
from kit.board import Board
from kit.documents import Document
from kit.job_api import JobApi
from kit.order import Order
from kit.progress import Screen
from kit.results import Folder
from kit.say import Stop, err
from kit.sending import Sending
from kit.together import each
from kit.waiting import Waiting


class Submission:
    """Documents on their way through the jobs API; the board says how far they are."""

    def __init__(self, api: JobApi, board: Board, folder: Folder | None) -> None:
        self._api, self.board, self._folder = api, board, folder
        self.answer: Json | None = None
        """The job of a single document, when it is done."""

    async def run(
        self, documents: list[Document], order: Order, *, wait: bool, retry: bool
    ) -> None:
        """
        Args:
            retry: as for `Sending`.

        Raises:
            Stop: it cannot go on, and how far it came.
        """
        async with self._api:
            with Screen(err, self.board, lambda: self._api.patience.waits_s) as screen:
                showing = asyncio.create_task(screen.run())
                try:
                    await self._send(documents, Sending(self._api, order, self.board, retry=retry))
                    if wait:
                        screen.wait()
                        await self._wait()
                finally:
                    showing.cancel()
                    with suppress(asyncio.CancelledError):
                        await showing

    async def _send(self, documents: list[Document], sending: Sending) -> None:
        try:
            await sending.all(documents)
        except Stop as stop:
            if not self.board.jobs:
                raise
            count = f"{len(self.board.entries):,} of {self.board.total:,}"
            far = f"{count} are submitted; the same command submits the rest"
            raise Stop(f"{stop}\n{far}", code=stop.code) from stop

    async def _wait(self) -> None:
        try:
            await self._before()
            await Waiting(self._api, self.board, self._ended).all()
        except Stop as stop:
            goes_on = "the jobs go on; the same command waits for them again"
            raise Stop(f"{stop}\n{goes_on}" if self.board.open else str(stop)) from stop

    async def _before(self) -> None:
        """What is still to be known of jobs that had ended before."""
        over = [entry for entry in self.board.jobs.values() if entry.over]
        done = [{"job_id": one.job_id, "status": one.status} for one in over if one.done]
        await self._ended(done)
        for entry in over:
            if not entry.done and not entry.reason and entry.job_id:
                entry.learn(await self._api.get(entry.job_id) or {})

    async def _ended(self, jobs: Iterable[Json]) -> None:
        if self._folder or self.board.total == 1:
            await each((job for job in jobs if job["status"] == Status.DONE), self._keep)

    async def _keep(self, job: Json) -> None:
        """Write an answer down; it is fetched where the job was seen without it."""
        if "result" not in job:
            job = await self._api.get(job["job_id"]) or job
        if self._folder:
            self._folder.write(self.board.jobs[job["job_id"]].name, job)
        else:
            self.answer = job
