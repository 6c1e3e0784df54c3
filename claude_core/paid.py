"""One call's money: reserved before Claude is asked, settled once however it ends, and told."""

import asyncio
import math
import time
from types import TracebackType
from typing import Self

from claude_core.admitted import Reserved
from claude_core.budget import Budget
from claude_core.clients import ClientKey
from claude_core.errors import AnswerLost, AwsUnreachable, KitError
from claude_core.incoming import Incoming
from claude_core.messages import Request
from claude_core.reservation import NOTHING, Guess, Reservation, Spent
from claude_core.stream import Streamed
from claude_core.telemetry import Answered, Telemetry
from claude_core.usage import Usage
from claude_core.worst import reads_on

FASTEST = 500
"""Tokens a second that no model is taken to write faster than, where we ourselves end a call whose
answer has not begun to come."""
_SETTLING: set[asyncio.Task[None]] = set()
"""Settlements of callers that are gone; the event loop alone would not keep them."""


class Paid:
    """`async with` it around a call: what is not settled inside is settled by how it failed."""

    def __init__(
        self,
        budget: Budget,
        telemetry: Telemetry,
        incoming: Incoming,
        request: Request,
        reserved: Reserved,
        started: float,
        guess: Guess | None,
    ) -> None:
        self._budget, self._telemetry, self._incoming = budget, telemetry, incoming
        self._row, self._held, self.limits = reserved.row, reserved.held, reserved.limits
        self.request = request
        """What goes to Claude: marked for its prompt cache if the client wishes so."""
        self.streamed: Streamed | None = None
        self._settled, self._guess = False, guess
        self._started, self._first_token_ms = started, 0.0
        if reserved.row.flag("cache_prompts") and request.cacheable:
            self.request = request.cached()

    @classmethod
    async def reserve(
        cls,
        budget: Budget,
        telemetry: Telemetry,
        incoming: Incoming,
        key: ClientKey | str,
        request: Request,
        counted: bool = False,
        guess: Guess | None = None,
    ) -> Self:
        """Reserve the worst cost.

        Raises:
            NotAuthenticated, NotAllowed, InvalidRequest, OverBudget, TooMany, Stopped,
            AwsUnreachable: nothing was taken.
        """
        cost, needs, started = request.worst_cost, request.needs, time.perf_counter()
        try:
            reserved = await budget.reserve(key, request.model, cost, needs=needs, counted=counted)
        except KitError as err:
            err.client = key if isinstance(key, str) else key.id
            err.model = request.model.id
            raise
        return cls(budget, telemetry, incoming, request, reserved, started, guess)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, err: BaseException | None, _: TracebackType | None
    ) -> None:
        if err is None or self._settled:
            return
        held = self._held
        if isinstance(err, KitError):
            err.client, err.model, err.limits = held.client, self.request.model.id, self.limits
            await self._settle(*self._spent_by(err, held))
            return
        # The caller is gone, or we are ending: settle even if who waits here is cancelled again.
        cost, usage = (self._unseen(), NOTHING) if not self.streamed else self._most(self.streamed)
        self._telemetry.left(
            *(self._incoming, held.client, self.request), cost=cost, guess=self._unwanted
        )
        settling = asyncio.create_task(self._settle(cost, usage))
        _SETTLING.add(settling)
        settling.add_done_callback(_SETTLING.discard)
        await asyncio.shield(settling)

    def first_token(self) -> None:
        """Note when the first delta came."""
        self._first_token_ms = self._first_token_ms or self._ms()

    async def settle(self, answer: Answered, *, counts_as: str = "answers") -> int:
        """Charge what a whole answer used, in nano-dollars, and count it."""
        cost = self.request.model.cost(answer.usage, answer.stop_reason)
        await self._settle(cost, answer.usage)
        self._settled = True
        first = None if self.streamed is None else self._first_token_ms or self._ms()
        self._telemetry.answered(
            *(self._incoming, self._held.client, self.request, answer),
            cost=cost,
            ms=self._ms(),
            first_token_ms=first,
            counts_as=counts_as,
        )
        return cost

    def _spent_by(self, err: KitError, held: Reservation) -> tuple[int, Usage]:
        if self.streamed is None:
            return (held.cost if err.may_be_billed else 0), NOTHING
        # Where the connection broke Claude writes on; where it failed, or we left, it has ended.
        cost, usage = self._most(self.streamed)
        return (held.cost if isinstance(err, AnswerLost) else cost), usage

    @property
    def _unwanted(self) -> bool:
        return self._guess is not None and not self._guess.wanted

    def _unseen(self) -> int:
        """The most that a call has cost which ends before its answer has begun to come."""
        if not self._unwanted:
            return self._held.cost
        written = min(self.request.max_tokens, FASTEST * math.ceil(self._ms() / 1_000))
        unwritten = self.request.max_tokens - written
        return max(0, self._held.cost - unwritten * self.request.model.price.output)

    def _most(self, streamed: Streamed) -> tuple[int, Usage]:
        usage = streamed.used_at_most(self.request.max_tokens)
        if reads_on(self.request.needs):
            return self._held.cost, usage  # what tools at Claude have read is told at the end alone
        return self.request.model.cost(usage), usage

    async def _settle(self, cost: int, usage: Usage) -> None:
        spent = Spent(self.request.model, cost, usage, cost if self._unwanted else 0)
        try:
            await self._budget.settle(self._held, spent, row=self._row)
        except AwsUnreachable as err:
            # The answer is paid for and goes out; the reservation stays charged, and is listed.
            self._telemetry.trouble(f"a reservation could not be settled: {err.message}")

    def _ms(self) -> float:
        return (time.perf_counter() - self._started) * 1_000
