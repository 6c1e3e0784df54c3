"""The way of one prompt, the same in every pattern: reserve, ask Claude, settle, tell.

An edge decodes and validates before, and encodes after. See `lambda_src/api.py` for one.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from claude_core.admitted import Admitted
from claude_core.aws import Aws
from claude_core.budget import Budget
from claude_core.client import Claude
from claude_core.clients import ClientKey
from claude_core.connections import AwsHttp
from claude_core.errors import KitError
from claude_core.incoming import Incoming
from claude_core.limits import Limits
from claude_core.messages import Request
from claude_core.models import MODELS
from claude_core.paid import Paid
from claude_core.reply import Reply
from claude_core.reservation import Guess
from claude_core.retry import RetryBudget
from claude_core.sdk_options import claude_http
from claude_core.secret import Secret
from claude_core.settings import Runtime, Settings
from claude_core.sse import Event, Settled
from claude_core.stream import Streamed
from claude_core.telemetry import Telemetry
from claude_core.wire import to_bytes


@dataclass(frozen=True, slots=True)
class Answer:
    reply: Reply
    cost: int
    """Nano-dollars."""
    limits: Limits


@dataclass(frozen=True, slots=True)
class Free:
    """The body of an answer that costs nothing, and the client's limits after it."""

    body: bytes
    limits: Limits


class Kit:
    """Everything that answering takes, built once per process."""

    def __init__(self, *, aws: Aws, budget: Budget, claude: Claude, telemetry: Telemetry) -> None:
        self.aws, self._budget, self._claude = aws, budget, claude
        self.telemetry = telemetry

    @classmethod
    def build(cls, settings: Settings, runtime: Runtime, telemetry: Telemetry) -> "Kit":
        """Wire the real parts. Must run on the event loop that will use them."""
        aws = Aws(AwsHttp(), runtime)
        secret = Secret(aws, settings.claude_secret)
        budget = Budget.build(
            aws,
            table=settings.clients_table,
            history_table=settings.history_table,
            topic=settings.alarm_topic,
            trouble=telemetry.trouble,
        )
        claude = Claude(
            url=settings.claude_url, secret=secret, http=claude_http(), retries=RetryBudget()
        )
        return cls(aws=aws, budget=budget, claude=claude, telemetry=telemetry)

    async def close(self) -> None:
        """Close every connection; for processes that end before their host does."""
        await self._claude.close()
        await self.aws.close()

    async def warm(self) -> None:
        """Open what the first request would open: the way to Secrets Manager, and the key.

        Raises:
            Unavailable: no key; the first request will say so too.
        """
        await self._claude.warm()

    async def answer(
        self,
        incoming: Incoming,
        key: ClientKey | str,
        request: Request,
        *,
        deadline: float,
        counted: bool = False,
        retried: bool = True,
        counts_as: str = "answers",
    ) -> Answer:
        """Ask Claude for a client, within its budget and before `deadline` (event loop's clock).

        Args:
            key: of a client that was proved before the id is enough.
            counted: the client's minute has counted it before, as `prove` does.
            retried: tried again where that may help.
            counts_as: the metric that it is one of.

        Raises:
            KitError: typed, with nothing lost: what was not spent is handed back.
        """
        async with await self._paid(incoming, key, request, counted) as paid:
            reply = await self._claude.ask(paid.request, deadline=deadline, retried=retried)
            cost = await paid.settle(reply, counts_as=counts_as)
            return Answer(reply, cost, paid.limits)

    async def stream(
        self,
        incoming: Incoming,
        key: ClientKey | str,
        request: Request,
        *,
        deadline: float,
        open_deadline: float,
        counted: bool = False,
        retried: bool = True,
        guess: Guess | None = None,
    ) -> AsyncGenerator[Event]:
        """The same, event by event as Claude writes them; close it (`aclosing`) whatever happens.

        The first event comes when Claude has
        begun to answer, the last one when the money is settled: after it a function may be frozen.

        Raises:
            KitError: before the first event as `answer` does; after it the answer is not whole.
        """
        async with await self._paid(incoming, key, request, counted, guess) as paid:
            event, streamed = await self._claude.stream(
                paid.request, deadline=deadline, open_deadline=open_deadline, retried=retried
            )
            async with aclosing(streamed):
                paid.streamed = streamed
                yield event._replace(limits=paid.limits)
                async for event in streamed:
                    if event.type == "message_stop":
                        cost = await paid.settle(streamed)
                        event = event._replace(settled=_settled(streamed, cost))
                    elif event.type == "content_block_delta":
                        paid.first_token()
                    yield event

    async def count_tokens(self, key: ClientKey, request: Request, *, deadline: float) -> Free:
        """Claude's count of a request's tokens, for a client that may use the model."""
        admitted = await self._budget.prove(key, request.model, request.needs)
        try:
            counted = await self._claude.count_tokens(request, deadline=deadline)
        except KitError as err:
            err.limits = admitted.limits
            raise
        return Free(counted, admitted.limits)

    async def prove(self, key: ClientKey | str, needs: frozenset[str] = frozenset()) -> Admitted:
        """That a client may call at all; counts as a request of its minute. An id is enough where
        it was proved by other means."""
        return await self._budget.prove(key, needs=needs)

    async def models(self, key: ClientKey) -> Free:
        """The models that a client may use, as the Messages API lists them."""
        admitted = await self._budget.prove(key)
        data = [model.to_json() for model in MODELS if admitted.row.may_use(model)]
        ends = {"first_id": data[0]["id"], "last_id": data[-1]["id"]} if data else {}
        return Free(to_bytes({"data": data, "has_more": False, **ends}), admitted.limits)

    async def _paid(
        self,
        incoming: Incoming,
        key: ClientKey | str,
        request: Request,
        counted: bool,
        guess: Guess | None = None,
    ) -> Paid:
        return await Paid.reserve(
            *(self._budget, self.telemetry, incoming, key, request),
            counted=counted,
            guess=guess,
        )


def _settled(streamed: Streamed, cost: int) -> Settled:
    model = str(streamed.message.get("model"))
    return Settled(model, streamed.stop_reason, streamed.usage_json, cost)
