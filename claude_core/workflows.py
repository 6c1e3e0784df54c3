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
from claude_core.errors import KitError, OverBudget
from claude_core.incoming import Incoming
from claude_core.messages import Request, prompt_request
from claude_core.reply import Reply
from claude_core.serve import Answer, Kit

Step = Callable[[str], Request]
"""The next request, from the text of the answer before it."""


class Asks(Protocol):
    """What a workflow asks with: `Work`, or, where a retry must not pay for what is done, the steps
    of a durable function. Both methods raise as `Kit.answer`."""

    async def __call__(self, request: Request) -> Reply:
        """One answer."""

    async def together(self, requests: Sequence[Request]) -> list[Reply]:
        """Several at once; their answers in the order of the requests."""


class Work:
    """One client's calls for one thing; call it with a request."""

    def __init__(
        self,
        kit: Kit,
        incoming: Incoming,
        client: str,
        *,
        deadline: float,
        most: int | None,
        retried: bool = True,
    ) -> None:
        """For a client that was proved before.

        Args:
            retried: as `Kit.answer`.
        """
        self._kit, self._incoming, self._client = kit, incoming, client
        self._deadline, self._most, self._retried = deadline, most, retried
        self._open = 0
        self.cost = 0
        """Nano-dollars that its calls have come to."""

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

    async def __call__(self, request: Request) -> Reply:
        """One answer; raises as `paid`."""
        return (await self.paid(request)).reply

    async def together(self, requests: Sequence[Request]) -> list[Reply]:
        """All at once; raises as `paid`, of the first that failed: the others are cancelled, and
        what they may have cost is charged."""
        tasks = [asyncio.ensure_future(self(request)) for request in requests]
        try:
            return await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def paid(self, request: Request) -> Answer:
        """One answer, and what it cost.

        Raises:
            OverBudget: it might cost more than is left of this work's own limit; Claude was not
                asked. KitError, as `Kit.answer`.
        """
        worst = request.worst_cost
        if self._most is not None and self.cost + self._open + worst > self._most:
            left = self._most - self.cost - self._open
            raise OverBudget(
                f"this work may cost {usd(self._most)}, {usd(max(0, left))} of it is left, and its "
                f"next call may cost {usd(worst)}"
            )
        self._open += worst
        cost = worst  # of what is cancelled, or lost, nobody says what it has cost
        try:
            answer = await self._kit.answer(
                *(self._incoming, self._client, request),
                deadline=self._deadline,
                counted=True,
                retried=self._retried,
            )
            cost = answer.cost
        except KitError as err:
            cost = worst if err.may_be_billed else 0
            raise
        finally:
            self._open -= worst
            self.cost += cost
        return answer


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
