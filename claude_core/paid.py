"""One call's money: reserved before Claude is asked, settled once however it ends, and told."""

import asyncio
import time
from types import TracebackType
from typing import Self

from claude_core.budget import Budget, Reservation
from claude_core.clients import ClientKey
from claude_core.errors import AnswerLost, AwsUnreachable, KitError
from claude_core.incoming import Incoming
from claude_core.messages import Request
from claude_core.stream import Streamed
from claude_core.telemetry import Answered, Telemetry

_SETTLING: set[asyncio.Task[None]] = set()
"""Settlements of callers that are gone; the event loop alone would not keep them."""


class Paid:
    """`async with` it around a call: what is not settled inside is settled by how it failed."""

    def __init__(
        self,
        budget: Budget,
        telemetry: Telemetry,
        incoming: Incoming,
        key: ClientKey,
        request: Request,
    ) -> None:
        self._budget, self._telemetry = budget, telemetry
        self._incoming, self._key = incoming, key
        self.request = request
        """What goes to Claude: marked for its prompt cache if the client wishes so."""
        self.streamed: Streamed | None = None
        self._held: Reservation | None = None
        self._settled = False
        self._started, self._first_token_ms = time.perf_counter(), 0.0

    async def __aenter__(self) -> Self:
        """Reserve the worst cost.

        Raises:
            NotAuthenticated, NotAllowed, OverBudget, AwsUnreachable: nothing was taken.
        """
        request = self.request
        try:
            held = await self._budget.reserve(self._key, request.model, request.worst_cost)
        except KitError as err:
            self._blame(err)
            raise
        self._held = held
        if held.cache_prompts and request.cacheable:
            self.request = request.cached()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, err: BaseException | None, _: TracebackType | None
    ) -> None:
        held = self._held
        if err is None or held is None or self._settled:
            return
        if isinstance(err, KitError):
            self._blame(err)
            await self._settle(held, self._cost_of(err, held))
            return
        # The caller is gone, or we are ending: settle even if who waits here is cancelled again.
        cost = held.cost if self.streamed is None else self._most(self.streamed)
        self._telemetry.left(self._incoming, held.client, self.request, cost=cost)
        settling = asyncio.create_task(self._settle(held, cost))
        _SETTLING.add(settling)
        settling.add_done_callback(_SETTLING.discard)
        await asyncio.shield(settling)

    def first_token(self) -> None:
        """Note when the first delta came."""
        self._first_token_ms = self._first_token_ms or self._ms()

    async def settle(self, answer: Answered) -> int:
        """Charge what a whole answer used, in nano-dollars, and count it."""
        cost = self.request.model.cost(answer.usage)
        if self._held:
            await self._settle(self._held, cost)
        self._settled = True
        first = None if self.streamed is None else self._first_token_ms or self._ms()
        self._telemetry.answered(
            *(self._incoming, self._key.id, self.request, answer),
            cost=cost,
            ms=self._ms(),
            first_token_ms=first,
        )
        return cost

    def _cost_of(self, err: KitError, held: Reservation) -> int:
        if self.streamed is None:
            return held.cost if err.may_be_billed else 0
        # Where the connection broke Claude writes on; where it failed, or we left, it has ended.
        return held.cost if isinstance(err, AnswerLost) else self._most(self.streamed)

    def _most(self, streamed: Streamed) -> int:
        return self.request.model.cost(streamed.used_at_most(self.request.max_tokens))

    async def _settle(self, held: Reservation, cost: int) -> None:
        try:
            await self._budget.settle(held, cost)
        except AwsUnreachable as err:
            # The answer is paid for and goes out; the reservation stays charged, and is listed.
            self._telemetry.log.error("a reservation could not be settled", error=err.message)

    def _blame(self, err: KitError) -> None:
        err.client, err.model = self._key.id, self.request.model.id

    def _ms(self) -> float:
        return (time.perf_counter() - self._started) * 1_000
