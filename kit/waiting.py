"""Until jobs are over, asked as cheaply as can be: a page tells of a hundred, and polls get rarer.

Every request counts in the client's minute, so that asking must not crowd out the work.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

from claude_core.wire import Json
from kit.board import OVER, Board
from kit.job_api import PAGE, JobApi
from kit.patience import Refusal, Unreachable
from kit.together import each

FIRST_S, USUAL_S, QUIET_S = 0.5, 5.0, 60.0
"""Between two rounds: at first; while something happens; where nothing has for long."""
QUIET_AFTER = 24
"""Rounds in which nothing has changed, about two minutes."""
TROUBLE_S = 600.0
"""Without an answer, in which it is still tried: jobs take hours, and networks have bad minutes."""
SHARE = 5
"""At most so small a part of the client's minute goes to asking: a fifth."""
SINGLY = 10
"""Jobs of one round that no page has told of, and that are asked for one by one."""


class Waiting:
    """Watches the open jobs of a board."""

    def __init__(
        self,
        api: JobApi,
        board: Board,
        ended: Callable[[list[Json]], Awaitable[None]],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """
        Args:
            ended: is handed the jobs that have ended in a round; some with their result.
            sleep: for so many seconds.
        """
        self._api, self._board, self._ended, self._sleep = api, board, ended, sleep
        self._start: str | None = None
        """The page on which the newest of ours is; what is before it is not ours."""
        self._span: int | None = None
        """Pages on which all of ours were, in the last round."""

    async def all(self) -> None:
        """Return when no job of the board is open.

        Raises:
            Refusal, Unreachable: for ten minutes.
        """
        pause_s, quiet, answered_at = FIRST_S, 0, time.monotonic()
        while pending := self._board.open:
            try:
                asked, news = await self._round(set(pending))
            except (Refusal, Unreachable) as err:
                lasting = isinstance(err, Refusal) and err.status in (401, 403)
                if lasting or time.monotonic() > answered_at + TROUBLE_S:
                    raise
                await self._sleep(USUAL_S)
                continue
            answered_at = time.monotonic()
            changed = False
            for job in news:
                changed |= self._board.jobs[job["job_id"]].status != job["status"]
                self._board.tell(job)
            await self._ended([job for job in news if job["status"] in OVER])
            if not self._board.open:
                return
            quiet = 0 if changed else quiet + 1
            longest = USUAL_S if quiet < QUIET_AFTER else QUIET_S
            await self._sleep(max(pause_s, self._fair_s(asked)))
            pause_s = min(pause_s * 2, longest)

    def _fair_s(self, asked: int) -> float:
        """How long so many requests have to last."""
        limit = self._api.patience.limit
        return min(60.0, asked * 60.0 * SHARE / limit) if limit else 0.0

    async def _round(self, pending: set[str]) -> tuple[int, list[Json]]:
        """What is known now of the pending jobs, and how many requests it took."""
        pages = self._span or -(-len(pending) // PAGE)
        if len(pending) <= pages:
            return len(pending), await self._singly(pending)
        news = await self._by_page(pending, most=3 * pages + 2)
        unseen = sorted(pending - {job["job_id"] for job in news})[:SINGLY]
        return (self._span or 0) + len(unseen), [*news, *await self._singly(unseen)]

    async def _by_page(self, pending: set[str], *, most: int) -> list[Json]:
        news: dict[str, Json] = {}
        after, self._span = self._start, 0
        for _ in range(most):
            page = await self._api.page(after=after)
            ours = {job["job_id"]: job for job in page.jobs if job["job_id"] in pending}
            if ours and not news:
                # Newer jobs come before it: it is the right place for as long as these are open.
                self._start, self._span = after, 0
            news |= ours
            self._span += 1
            after = page.next
            if after is None or len(news) == len(pending):
                break
        return list(news.values())

    async def _singly(self, ids: "set[str] | list[str]") -> list[Json]:
        news: list[Json] = []

        async def one(id: str) -> None:
            # A job that is gone was forgotten after its end; nobody can say which.
            gone = {"job_id": id, "status": "failed", "error": {"message": "is not known any more"}}
            news.append(await self._api.get(id) or gone)

        await each(ids, one)
        return news
