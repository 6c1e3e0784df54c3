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


def early_money(table: Table, question: Question) -> int:
    """Nano-dollars of the client's month for all answers that are begun early; 0: this one may not
    be. Its share is used up, or there is no money for whatever is wanted in its place, which it
    holds for a while."""
    purse, most = question.purse, int(table.speculate * question.purse.budget)
    if purse.guessed + question.request().worst_cost > most:
        return 0
    verdicts = (Verdict(intent, 1.0) for intent in table.routes)
    choices = [decide(table, purse, verdict) for verdict in verdicts]
    try:
        worst = max(question.request(choice).worst_cost for choice in choices)
    except Refused:  # not every route could be asked this: who can, is not known yet
        return 0
    return most if purse.free >= 3 * worst else 0


_LEAVING: set[asyncio.Task[None]] = set()
"""Answers that are being ended; the event loop alone would not keep them."""


class Early:
    """One that was begun."""

    def __init__(
        self, kit: Kit, question: Question, most: int, *, deadline: float, open_deadline: float
    ) -> None:
        """
        Args:
            most: nano-dollars of the client's month for all that are begun early.
        """
        self._question, self._guess = question, Guess(most)
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
        """It is wanted.

        Raises:
            Refused: it was not begun, for all that may be taken early is. KitError, as
                `calls.opened`.
        """
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
