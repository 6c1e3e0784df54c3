"""Documents become jobs: many at once, and none twice, whatever was sent before."""

from collections import Counter

from claude_core.jobs.job import Status
from claude_core.wire import Json
from kit.board import UNANSWERED, Board
from kit.documents import Document, Unreadable
from kit.job_api import PAGE, JobApi
from kit.order import Asked, Order
from kit.patience import Refusal
from kit.together import each

FEW = 10
"""So many are simply sent: to look for them first would cost as much."""
SAME = 3
"""Refusals in the same words, and nothing taken: the others would hear the same."""


class Sending:
    """One submission on its way."""

    def __init__(self, api: JobApi, order: Order, board: Board, *, retry: bool = False) -> None:
        """
        Args:
            retry: what has ended without an answer is asked once more.
        """
        self._api, self._order, self._board, self._retry = api, order, board, retry
        self._known: dict[str, Json] = {}
        self._refusals: Counter[str] = Counter()

    async def all(self, documents: list[Document]) -> None:
        """
        Raises:
            Stop: no more can be sent now; the board says what was.
        """
        if len(documents) > FEW:
            await self._look(documents)
        await each(documents, self._one)

    async def _look(self, documents: list[Document]) -> None:
        """Find those that are there already, a hundred with one request."""
        wanted, after = set[str](), None
        for document in documents:
            try:
                wanted.add(self._order.of(document).id(self._api.client))
            except Unreadable:
                continue  # said when its turn comes
        for _ in range(len(documents) // PAGE + 2):
            page = await self._api.page(after=after)
            self._known |= {job["job_id"]: job for job in page.jobs if job["job_id"] in wanted}
            after = page.next
            if after is None or len(self._known) == len(wanted):
                return

    async def _one(self, document: Document) -> None:
        try:
            asked = self._order.of(document)
        except Unreadable as err:
            self._board.refuse(document.name, str(err))
            return
        name = asked.name or document.name
        try:
            job, before = await self._job(asked)
            while self._retry and job["status"] in UNANSWERED:
                asked = asked.after(job["job_id"])
                job, before = await self._job(asked)
        except Refusal as err:
            self._refused(name, err)
        else:
            self._board.take(name, job, before=before)

    async def _job(self, asked: Asked) -> tuple[Json, bool]:
        """The job of a document, and whether it was there before."""
        id = asked.id(self._api.client)
        there = self._known.get(id)
        if there is None and asked.upload is not None:
            there = await self._api.get(id)
        if there is not None and _sent(there):
            return there, True
        body = asked.body
        if asked.upload is not None:
            body = {**body, "upload": await self._api.upload(asked.upload, asked.content_type)}
        return await self._api.submit(body, asked.key)

    def _refused(self, name: str, err: Refusal) -> None:
        self._refusals[err.message] += 1
        if err.everybody or (not self._board.jobs and self._refusals[err.message] >= SAME):
            raise err
        self._board.refuse(name, str(err))


def _sent(job: Json) -> bool:
    """Whether it is known to be on its way: one that nobody has begun may never have reached its
    queue, and is sent again by submitting it again."""
    return job["status"] != Status.QUEUED or bool(job.get("attempts"))
