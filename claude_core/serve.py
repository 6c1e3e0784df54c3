"""The way of one prompt, the same in every pattern: reserve, ask Claude, settle, tell.

An edge decodes and validates before, and encodes after. See `lambda_src/api.py` for one.
"""

import asyncio
import time
from dataclasses import dataclass

import httpx2

from claude_core.aws import Aws
from claude_core.budget import Budget, Reservation, may_use
from claude_core.client import Claude
from claude_core.clients import ClientKey
from claude_core.errors import AwsUnreachable, KitError
from claude_core.messages import Json, Reply, Request
from claude_core.models import MODELS
from claude_core.retry import RetryBudget
from claude_core.secret import Secret
from claude_core.settings import Runtime, Settings
from claude_core.telemetry import Telemetry

IDLE_CONNECTION_S = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    reply: Reply
    cost: int
    """Nano-dollars."""


class Kit:
    """Everything that answering takes, built once per process."""

    def __init__(
        self, *, budget: Budget, claude: Claude, telemetry: Telemetry, http: httpx2.AsyncClient
    ) -> None:
        self._budget, self._claude, self._http = budget, claude, http
        self.telemetry = telemetry

    @classmethod
    def build(cls, settings: Settings, runtime: Runtime, telemetry: Telemetry) -> "Kit":
        """Wire the real parts. Must run on the event loop that will use them."""
        limits = httpx2.Limits(max_connections=1_000, keepalive_expiry=IDLE_CONNECTION_S)
        http = httpx2.AsyncClient(limits=limits, timeout=None, follow_redirects=False)
        aws = Aws(http, runtime)
        secret = Secret(aws, settings.claude_secret)
        claude = Claude(url=settings.claude_url, secret=secret, http=http, retries=RetryBudget())
        budget = Budget(aws, settings.clients_table)
        return cls(budget=budget, claude=claude, telemetry=telemetry, http=http)

    async def close(self) -> None:
        """Close every connection; for processes that end before their host does."""
        await self._http.aclose()

    async def answer(self, key: ClientKey, request: Request, *, deadline: float) -> Answer:
        """Ask Claude for a client, within its budget and before `deadline` (event loop's clock).

        Raises:
            KitError: typed, with nothing lost: what was not spent is handed back.
        """
        started = time.perf_counter()
        held = await self._budget.reserve(key, request.model, request.worst_cost)
        try:
            reply = await self._claude.ask(request, deadline=deadline)
        except KitError as err:
            await self._settle(held, held.cost if err.may_be_billed else 0)
            raise
        except asyncio.CancelledError:
            await asyncio.shield(self._settle(held, held.cost))
            raise
        cost = request.model.cost(reply.usage)
        await self._settle(held, cost)
        self.telemetry.answered(key.id, request, reply, cost, _ms_since(started))
        return Answer(reply, cost)

    async def count_tokens(self, key: ClientKey, request: Request, *, deadline: float) -> bytes:
        """Claude's count of a request's tokens, for a client that may use the model."""
        await self._budget.prove(key, request.model)
        return await self._claude.count_tokens(request, deadline=deadline)

    async def models(self, key: ClientKey) -> list[Json]:
        """The models that a client may use, as the Messages API lists them."""
        row = await self._budget.prove(key)
        return [model.to_json() for model in MODELS if may_use(row, model)]

    async def _settle(self, held: Reservation, cost: int) -> None:
        try:
            await self._budget.settle(held, cost)
        except AwsUnreachable as err:
            # The answer is paid for and goes out; the reservation stays charged, and is listed.
            self.telemetry.log.error("a reservation could not be settled", error=err.message)


def _ms_since(started: float) -> float:
    return (time.perf_counter() - started) * 1_000
