"""Several calls as one piece of work: a chain, and many at once with a join.

    work = await Work.begin(kit, incoming, key, deadline=deadline, most=50_000_000)
    draft, final = await chain(work, prompt(f"Draft: {text}"), lambda it: prompt(f"Mend: {it}"))

All of it has one deadline, one request of the client's minute, one id in the logs, and, if it is
given one, one limit of money beside the client's own budget.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from claude_core.admission import usd
from claude_core.clients import ClientKey
from claude_core.errors import InvalidRequest, KitError, OverBudget
from claude_core.incoming import Incoming
from claude_core.messages import Request, prompt_request
from claude_core.reply import Reply
from claude_core.serve import Kit

Step = Callable[[str], Request]
"""The next request, from the text of the answer before it."""


class Asks(Protocol):
    """What a workflow makes its calls with: `Work`, or a test's own. Both methods raise as
    `Kit.answer`."""

    async def __call__(self, request: Request) -> Reply:
        """One answer."""

    async def together(self, requests: Sequence[Request]) -> list[Reply]:
        """Several at once; their answers in the order of the requests."""


class Limit:
    """What a piece of work may cost, beside its client's own budget, and has."""

    def __init__(self, most: int | None) -> None:
        """
        Args:
            most: nano-dollars; None: its client's budget is limit enough.
        """
        self._most, self._open = most, 0
        self.cost = 0
        """Nano-dollars that its calls have come to."""

    def take(self, worst: int) -> None:
        """Hold what calls may cost that are about to be made.

        Raises:
            OverBudget: it is more than is left.
        """
        if self._most is not None and self.cost + self._open + worst > self._most:
            left = max(0, self._most - self.cost - self._open)
            raise OverBudget(
                f"this work may cost {usd(self._most)}, {usd(left)} of it is left, and what it "
                f"asks next may cost {usd(worst)}"
            )
        self._open += worst

    def settle(self, worst: int, cost: int) -> None:
        """What they have come to."""
        self._open -= worst
        self.cost += cost


class Work:
    """One client's calls for one thing; call it with a request."""

    def __init__(
        self, kit: Kit, incoming: Incoming, client: str, *, deadline: float, most: int | None
    ) -> None:
        self._kit, self._incoming, self._client = kit, incoming, client
        self._deadline, self._limit = deadline, Limit(most)

    @classmethod
    async def begin(
        cls,
        kit: Kit,
        incoming: Incoming,
        key: ClientKey,
        *,
        deadline: float,
        most: int | None = None,
    ) -> "Work":
        """Prove the client once, for all calls.

        Args:
            deadline: of all of it, on the event loop's clock.
            most: nano-dollars that all of it may cost.

        Raises:
            NotAuthenticated, NotAllowed, Stopped, TooMany, AwsUnreachable.
        """
        admitted = await kit.prove(key)
        return cls(kit, incoming, admitted.row.id, deadline=deadline, most=most)

    @property
    def cost(self) -> int:
        """Nano-dollars that its calls have come to."""
        return self._limit.cost

    async def __call__(self, request: Request) -> Reply:
        """One answer.

        Raises:
            OverBudget: it might cost more than is left of this work's own limit; Claude was not
                asked. KitError, as `Kit.answer`.
        """
        self._limit.take(whole(request).worst_cost)
        return await self._asked(request)

    async def together(self, requests: Sequence[Request]) -> list[Reply]:
        """All at once, if there is money for all; raises as one does, of the first that failed:
        the others are cancelled, and what they may have cost is charged."""
        self._limit.take(sum(whole(request).worst_cost for request in requests))
        tasks = [asyncio.ensure_future(self._asked(request)) for request in requests]
        try:
            return await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _asked(self, request: Request) -> Reply:
        worst = cost = request.worst_cost  # of what is cancelled, or lost, nobody says its cost
        try:
            answer = await self._kit.answer(
                *(self._incoming, self._client, request), deadline=self._deadline, counted=True
            )
            cost = answer.cost
        except KitError as err:
            cost = worst if err.may_be_billed else 0
            raise
        finally:
            self._limit.settle(worst, cost)
        return answer.reply


def whole(request: Request) -> Request:
    """A request whose answer comes whole.

    Raises:
        InvalidRequest: it asks for a stream.
    """
    if request.body.get("stream"):
        raise InvalidRequest("stream: what a workflow asks is answered whole")
    return request


def prompt(text: str, *, model: str = "fast", max_tokens: int = 512, system: str = "") -> Request:
    """A step that is one text; raises as `prompt_request`."""
    body = {"prompt": text, "model": model, "max_tokens": max_tokens}
    return prompt_request(body | ({"system": system} if system else {}))


async def chain(ask: Asks, first: Request, *steps: Step) -> list[Reply]:
    """One after the other, each from the text of the answer before it; all answers.

    Raises:
        KitError: of the step that failed; those after it are not asked.
    """
    replies = [await ask(first)]
    for step in steps:
        replies.append(await ask(step(replies[-1].text)))
    return replies


async def parallel(
    ask: Asks, requests: Sequence[Request], join: Callable[[Sequence[str]], Request]
) -> Reply:
    """All at once, and one more from the texts of all answers, in the order of the requests.

    Raises:
        KitError: of the first that failed, as `together`.
    """
    replies = await ask.together(requests)
    return await ask(join([reply.text for reply in replies]))
