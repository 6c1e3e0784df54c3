"""Questions classified through a deployment, with a client's key: what its router asks, each once.

Nothing of the deployment is needed but a route at which a model is asked by name; the client pays.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Self

import httpx2

from claude_core.errors import AnswerLost, ConnectFailed, DeadlinePassed, KitError, UpstreamRefused
from claude_core.messages import Request
from claude_core.reply import Reply
from claude_core.routes import Table
from claude_core.routing.classifier import classification
from claude_core.routing.router import Router
from kit.router.outcome import Outcome, classified
from kit.router.questions import Question
from kit.router.refusals import LESS, Later, refusal
from kit.say import Stop
from kit.together import each

HELLO = "hi"
WAKING_S = 20.0
"""For the first answer of a function that has yet to start."""
MOST_WAITS = 10
"""Of one question, for the client's limit to admit it."""
VERSION = "2023-06-01"


class Asking:
    """One run; a context manager, which closes its connections."""

    def __init__(
        self,
        *,
        url: str,
        key: str,
        table: Table,
        at_once: int,
        late_s: float,
        waits: Callable[[Later], None] = lambda later: None,
    ) -> None:
        """
        Args:
            url: of that route.
            late_s: when a classification counts as late, seen from here.
            waits: told once why, and for how long, the client's own limit holds them up.
        """
        self._url, self._table = url, table
        self._router = Router(table)
        self._at_once, self._late_s, self._waits = at_once, late_s, waits
        headers = {"x-api-key": key, "anthropic-version": VERSION}
        headers["content-type"] = "application/json"
        self._http = httpx2.AsyncClient(headers=headers)
        self._open_at = 0.0
        self.waking = 0
        """Nano-dollars that `wake` has cost."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def wake(self) -> None:
        """Have as many functions started and connections open as will be needed: what a first
        question waits for says nothing about the classifier.

        Raises:
            Stop: the deployment cannot be reached, or refuses.
        """
        request = classification(self._table, HELLO)

        async def one(number: int) -> None:
            try:
                _, cost = await self._post(request, WAKING_S)
            except (ConnectFailed, UpstreamRefused) as err:
                raise Stop(err.message) from err
            except (KitError, Later):
                return  # the questions will tell
            self.waking += cost

        await each(range(self._at_once), one, at_once=self._at_once)

    async def all(
        self, questions: Sequence[Question], seen: Callable[[Outcome], None]
    ) -> list[Outcome]:
        """Each question's outcome, in their order.

        Raises:
            Stop: the rest would be refused, too; says how far it came.
        """
        found: dict[int, Outcome] = {}

        async def one(question: Question) -> None:
            found[question.line] = outcome = await self._classified(question)
            seen(outcome)

        try:
            await each(questions, one, at_once=self._at_once)
        except Stop as stop:
            far = f"{len(found):,} of {len(questions):,} were asked; nothing is kept of them"
            raise Stop(f"{stop}\n{far}", code=stop.code) from stop
        return [found[question.line] for question in questions]

    async def _classified(self, question: Question) -> Outcome:
        """As the router does it: its request, its reading of the answer, its reasons."""
        said = words = ""

        async def ask(request: Request, _: float) -> tuple[Reply, int]:
            nonlocal said
            try:
                return await self._post(request, self._late_s)
            except KitError as err:
                said = err.message
                raise

        for _ in range(MOST_WAITS):
            await asyncio.sleep(self._open_at - time.monotonic())
            try:
                found = await self._router.classify(question.text, ask)
            except Later as later:
                words = str(later)
                if not self._open_at:
                    self._waits(later)
                self._open_at = max(self._open_at, time.monotonic() + later.wait_s)
                continue
            return classified(self._table, question, found, said)
        raise Stop(f"{words}\n{LESS}")

    async def _post(self, request: Request, within_s: float) -> tuple[Reply, int]:
        """One attempt, and what it cost in nano-dollars.

        Raises:
            KitError: it failed. Later: it was not made. Stop: none will be answered.
        """
        try:
            async with asyncio.timeout(within_s):
                answer = await self._http.post(self._url, content=request.wire, timeout=None)
        except TimeoutError as err:
            raise DeadlinePassed(f"no answer within {within_s:g} s") from err
        except (httpx2.ConnectError, httpx2.UnsupportedProtocol, httpx2.InvalidURL) as err:
            origin = "/".join(self._url.split("/")[:3])
            raise ConnectFailed(f"{origin} cannot be reached; is it deployed? kit doctor") from err
        except httpx2.TransportError as err:
            raise AnswerLost(f"the connection broke: {type(err).__name__}") from err
        if answer.status_code != 200:
            raise refusal(answer)
        reply = Reply.from_bytes(answer.content)
        return reply, request.model.cost(reply.usage, reply.stop_reason)
