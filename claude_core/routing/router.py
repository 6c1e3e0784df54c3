"""A question in, a choice out: free rules, then the classifier, then the policy. Choosing never
fails: whatever goes wrong with the classifier, the default route answers."""

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any

from claude_core.errors import DeadlinePassed, KitError
from claude_core.messages import Request
from claude_core.models import resolve
from claude_core.reply import Reply
from claude_core.routes import Table
from claude_core.routing.choice import Choice, Last, Reason, Verdict
from claude_core.routing.classifier import ROLE, classification, excerpt, question_of, read
from claude_core.routing.late import Late
from claude_core.routing.policy import Purse, decide, named, unclassified
from claude_core.wire import Json

CLASSIFIED_S = 1.5
"""That the classifier has, its money's way included."""
REMEMBERED = 10_000
KEPT_S = 3_600.0
"""A verdict, for the same question."""

Ask = Callable[[Request, float], Coroutine[Any, Any, tuple[Reply, int]]]
"""One attempt at an answer within a deadline (event loop's clock), and its nano-dollars."""


@dataclass(frozen=True, slots=True)
class Classified:
    """What became of a classification."""

    verdict: Verdict | None
    reason: Reason
    cost: int = 0
    seconds: float = 0.0


class Router:
    """One process's: it remembers verdicts."""

    def __init__(self, table: Table, *, now: Callable[[], float] = time.monotonic) -> None:
        self.table, self._now = table, now
        self._verdicts: OrderedDict[bytes, tuple[Verdict, float]] = OrderedDict()

    async def choose(
        self, body: Json, purse: Purse, ask: Ask, *, last: Last | None = None
    ) -> Choice:
        """Who answers.

        Args:
            body: of a Messages API request; `model` may be absent, or "auto".
            last: the answer before, where a conversation goes on.

        Raises:
            NotFound, NotAllowed: the model that is asked for by name.
        """
        return self.known(body, purse, last) or await self.classified(body, purse, ask)

    def known(self, body: Json, purse: Purse, last: Last | None = None) -> Choice | None:
        """The choice where nothing has to be asked for it; None: it has to be classified. Raises as
        `choose`."""
        held = last if last and last.holds else None
        if found := named(self.table, body, purse):
            if held and held.model is found.model:  # with all that it was told before
                return replace(found, route=held.route, verdict=held.verdict)
            return found
        if held and held.model in purse.allowed:
            return Choice(
                route=held.route,
                model=held.model,
                reason=Reason.CONVERSATION,
                verdict=held.verdict,
                dearest=purse.dearest,
            )
        if found := unclassified(self.table, body, purse):
            return found
        if resolve(ROLE) not in purse.allowed:
            return decide(self.table, purse, None, Reason.NO_CLASSIFIER)
        if verdict := self._remembered(_key(question_of(body))):
            return decide(self.table, purse, verdict)
        return None

    async def classified(
        self, body: Json, purse: Purse, ask: Ask, late: Late | None = None
    ) -> Choice:
        """The choice from the classifier's word, whatever that is."""
        found = await self.classify(question_of(body), ask, late)
        choice = decide(self.table, purse, found.verdict, found.reason)
        return replace(choice, cost=found.cost, seconds=found.seconds)

    async def classify(self, text: str, ask: Ask, late: Late | None = None) -> Classified:
        """Ask once, within 1.5 s; the verdict is remembered, however late it comes.

        Args:
            late: holds what goes on after them; None: `ask` alone keeps to its deadline.
        """
        began, request = self._now(), classification(self.table, text)
        deadline = asyncio.get_running_loop().time() + CLASSIFIED_S

        async def asked() -> Classified:
            reply, cost = await ask(request, deadline)
            verdict = read(reply, self.table)
            if reply.stop_reason == "refusal":
                return Classified(None, Reason.REFUSED, cost)
            if verdict is None:
                return Classified(None, Reason.MALFORMED, cost)
            self._remember(_key(text), verdict)
            return Classified(verdict, Reason.CLASSIFIED, cost)

        try:
            found = await (late.by(deadline, asked()) if late else asked())
        except KitError as err:
            reason = Reason.LATE if isinstance(err, DeadlinePassed) else Reason.FAILED
            found = Classified(None, reason, request.worst_cost if err.may_be_billed else 0)
        return replace(found, seconds=self._now() - began)

    def _remembered(self, key: bytes) -> Verdict | None:
        found = self._verdicts.get(key)
        return found[0] if found and self._now() - found[1] < KEPT_S else None

    def _remember(self, key: bytes, verdict: Verdict) -> None:
        self._verdicts[key] = verdict, self._now()
        self._verdicts.move_to_end(key)
        while len(self._verdicts) > REMEMBERED:
            self._verdicts.popitem(last=False)


def _key(text: str) -> bytes:
    return hashlib.sha256(excerpt(text).encode()).digest()
