"""The way of one prompt, the same in every pattern: reserve, ask Claude, settle, tell.

An edge decodes and validates before, and encodes after. See `lambda_src/api.py` for one.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

import httpx2

from claude_core.aws import Aws
from claude_core.budget import Budget, may_use
from claude_core.client import Claude
from claude_core.clients import ClientKey
from claude_core.connections import connections
from claude_core.incoming import Incoming
from claude_core.messages import Request
from claude_core.models import MODELS
from claude_core.paid import Paid
from claude_core.reply import Reply
from claude_core.retry import RetryBudget
from claude_core.secret import Secret
from claude_core.settings import Runtime, Settings
from claude_core.sse import Event
from claude_core.telemetry import Telemetry
from claude_core.wire import Json


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
        http = connections()
        aws = Aws(http, runtime)
        secret, budget = Secret(aws, settings.claude_secret), Budget(aws, settings.clients_table)
        claude = Claude(url=settings.claude_url, secret=secret, http=http, retries=RetryBudget())
        return cls(budget=budget, claude=claude, telemetry=telemetry, http=http)

    async def close(self) -> None:
        """Close every connection; for processes that end before their host does."""
        await self._http.aclose()

    async def warm(self) -> None:
        """Open what the first request would open: the way to Secrets Manager, and the key.

        Raises:
            Unavailable: no key; the first request will say so too.
        """
        await self._claude.warm()

    async def answer(
        self, incoming: Incoming, key: ClientKey, request: Request, *, deadline: float
    ) -> Answer:
        """Ask Claude for a client, within its budget and before `deadline` (event loop's clock).

        Raises:
            KitError: typed, with nothing lost: what was not spent is handed back.
        """
        async with self._paid(incoming, key, request) as paid:
            reply = await self._claude.ask(paid.request, deadline=deadline)
            return Answer(reply, await paid.settle(reply))

    async def stream(
        self,
        incoming: Incoming,
        key: ClientKey,
        request: Request,
        *,
        deadline: float,
        open_deadline: float,
    ) -> AsyncGenerator[Event]:
        """The same, event by event as Claude writes them; close it (`aclosing`) whatever happens.

        The first event comes when Claude has begun to answer, the last one when the money is
        settled: after it a function may be frozen.

        Raises:
            KitError: before the first event as `answer` does; after it the answer is not whole.
        """
        async with self._paid(incoming, key, request) as paid:
            event, streamed = await self._claude.stream(
                paid.request, deadline=deadline, open_deadline=open_deadline
            )
            async with aclosing(streamed):
                paid.streamed = streamed
                yield event
                async for event in streamed:
                    if event.type == "message_stop":
                        await paid.settle(streamed)
                    elif event.type == "content_block_delta":
                        paid.first_token()
                    yield event

    async def count_tokens(self, key: ClientKey, request: Request, *, deadline: float) -> bytes:
        """Claude's count of a request's tokens, for a client that may use the model."""
        await self._budget.prove(key, request.model)
        return await self._claude.count_tokens(request, deadline=deadline)

    async def models(self, key: ClientKey) -> list[Json]:
        """The models that a client may use, as the Messages API lists them."""
        row = await self._budget.prove(key)
        return [model.to_json() for model in MODELS if may_use(row, model)]

    def _paid(self, incoming: Incoming, key: ClientKey, request: Request) -> Paid:
        return Paid(self._budget, self.telemetry, incoming, key, request)
