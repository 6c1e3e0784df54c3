"""The default route's answer, begun while a question is classified: kept if the route agrees, ended
at once if it does not."""

import asyncio
from dataclasses import replace

from claude_core.errors import Refused
from claude_core.reservation import Guess
from claude_core.routes import Table
from claude_core.routing import calls
from claude_core.routing.calls import Opened, Question
from claude_core.routing.choice import Choice, Verdict
from claude_core.routing.policy import decide
from claude_core.serve import Kit
from claude_core.wire import Json


def may_begin_early(table: Table, question: Question) -> bool:
    """Whether a question's answer may be begun before its route is known.

    Not once unused answers have cost the table's share of the client's month, and not where its own
    reservation could leave no money for the answer that is wanted in its place. The share is held
    against the row as it was read last: calls that begin at once may go beyond it together, the
    client's budget they cannot.
    """
    purse = question.purse
    if purse.guessed + question.request().worst_cost > table.speculate * purse.budget:
        return False
    verdicts = (Verdict(intent, 1.0) for intent in table.routes)
    choices = [decide(table, purse, verdict) for verdict in verdicts]
    try:
        worst = max(question.request(choice).worst_cost for choice in choices)
    except Refused:  # not every route could be asked this: who can, is not known yet
        return False
    return purse.free >= 3 * worst


_LEAVING: set[asyncio.Task[None]] = set()
"""Answers that are being ended; the event loop alone would not keep them."""


class Early:
    """One that was begun."""

    def __init__(
        self, kit: Kit, question: Question, *, deadline: float, open_deadline: float
    ) -> None:
        self._question, self._guess = question, Guess()
        self._task = asyncio.create_task(
            calls.opened(
                *(kit, question),
                deadline=deadline,
                open_deadline=open_deadline,
                guess=self._guess,
            )
        )

    def agrees(self, choice: Choice) -> bool:
        """Whether this is what the chosen model would be asked."""
        begun, wanted = self._question.choice, choice
        same = begun.route.after_refusal == wanted.route.after_refusal
        return same and self._wire(begun) == self._wire(wanted)

    async def keep(self, choice: Choice) -> Opened:
        """The route agrees: the answer is used. Raises as `calls.opened`."""
        self._guess.wanted = True
        opened = await self._task
        made = opened.choice
        if made.model is not choice.model:  # the default one could not answer, or refused
            cost = choice.cost + made.cost
            choice = replace(choice, model=made.model, reason=made.reason, cost=cost)
        return replace(opened, choice=choice)

    def leave(self) -> None:
        """End it, without waiting for that; what it may have cost is charged."""
        self._task.cancel()
        leaving = asyncio.create_task(self._left())
        _LEAVING.add(leaving)
        leaving.add_done_callback(_LEAVING.discard)

    async def _left(self) -> None:
        await asyncio.wait([self._task])
        if not self._task.cancelled() and self._task.exception() is None:
            await self._task.result().rest.aclose()

    def _wire(self, choice: Choice) -> Json:
        return dict(self._question.request(choice).body)
