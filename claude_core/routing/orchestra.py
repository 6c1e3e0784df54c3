"""A question's whole way: proved, routed, answered by the model that was chosen, and explained."""

import datetime as dt
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass

from claude_core.clients import ClientKey
from claude_core.incoming import Incoming
from claude_core.limits import Limits
from claude_core.messages import Request
from claude_core.models import MODELS, NANO
from claude_core.reply import Reply
from claude_core.routes import Table
from claude_core.routing import calls
from claude_core.routing.asked import body_of, checked
from claude_core.routing.calls import Question
from claude_core.routing.choice import Choice, Reason
from claude_core.routing.policy import Purse
from claude_core.routing.router import Router
from claude_core.row import Row, month_of
from claude_core.serve import Kit
from claude_core.sse import Event
from claude_core.usage import Usage
from claude_core.wire import Json, to_bytes

FAILURES = (Reason.LATE, Reason.FAILED, Reason.MALFORMED, Reason.REFUSED)
INSTEAD = (Reason.FALLBACK, Reason.AFTER_REFUSAL)


@dataclass(frozen=True, slots=True)
class Routed:
    """An answer, and how it came about."""

    body: bytes
    """Claude's message, with `route` in it."""
    reply: Reply
    choice: Choice
    limits: Limits


class Orchestra:
    """One process's."""

    def __init__(
        self, kit: Kit, table: Table, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._kit, self._router = kit, Router(table, now=now)

    async def answer(
        self,
        incoming: Incoming,
        key: ClientKey,
        body: Json,
        headers: dict[str, str],
        *,
        deadline: float,
    ) -> Routed:
        """A whole answer.

        Raises:
            KitError: as `Kit.answer`; never for what the classifier did.
        """
        question = await self._routed(incoming, key, body, headers)
        choice, answer = await calls.whole(self._kit, question, deadline=deadline)
        self._ended(question, choice, answer.reply.usage)
        shown = answer.reply.message | {"route": choice.to_json(answer.reply.usage)}
        return Routed(to_bytes(shown), answer.reply, choice, answer.limits)

    async def stream(
        self,
        incoming: Incoming,
        key: ClientKey,
        body: Json,
        headers: dict[str, str],
        *,
        deadline: float,
        open_deadline: float,
    ) -> AsyncGenerator[Event]:
        """The same as it is written; close it (`aclosing`) whatever happens. `route` is in the
        message of the first event, and whole, with what was saved, in the last `message_delta`."""
        question = await self._routed(incoming, key, body, headers)
        opened = await calls.opened(
            self._kit, question, deadline=deadline, open_deadline=open_deadline
        )
        choice, usage = opened.choice, dict[str, object]()
        async with aclosing(opened.rest):
            async for event in _all(opened.first, opened.rest):
                match event.type:
                    case "message_start":
                        message = {**event.data["message"], "route": choice.to_json()}
                        usage |= message.get("usage") or {}
                        event = _event(event, {**event.data, "message": message})
                    case "message_delta":
                        usage |= event.data.get("usage") or {}
                        route = choice.to_json(Usage.from_json(usage))
                        event = _event(event, {**event.data, "route": route})
                    case "message_stop":  # after it a function may be frozen
                        self._ended(question, choice, Usage.from_json(usage))
                yield event

    async def _routed(
        self, incoming: Incoming, key: ClientKey, body: Json, headers: dict[str, str]
    ) -> Question:
        body = body_of(body)
        request = checked(self._router.table, body, headers)
        row = (await self._kit.prove(key, request.needs)).row
        purse = _purse(row)

        async def ask(request: Request, deadline: float) -> tuple[Reply, int]:
            found = await self._kit.answer(
                incoming, row.id, request, deadline=deadline, counted=True, retried=False
            )
            return found.reply, found.cost

        choice = await self._router.choose(row.id, body, purse, ask)
        return Question(incoming, row.id, body, headers, purse, choice)

    def _ended(self, question: Question, choice: Choice, usage: Usage) -> None:
        self._router.warm.note(question.client, question.body, choice)
        counts = {
            "routed": 1.0,
            f"route_{choice.route.intent}": 1.0,
            "routing_cost_usd": choice.cost / NANO,
            "routing_saved_usd": choice.saved(usage) / NANO,
            "route_fallbacks": float(choice.reason in INSTEAD),
        }
        if choice.seconds:
            counts["classifier_duration"] = choice.seconds
            counts["classifier_failures"] = float(question.choice.reason in FAILURES)
        self._kit.telemetry.count(**counts)


def _purse(row: Row) -> Purse:
    now = dt.datetime.now(dt.UTC)
    left = row.left(month_of(now)) / row.budget if row.budget else 0.0
    return Purse([model for model in MODELS if row.may_use(model)], left)


async def _all(first: list[Event], rest: AsyncGenerator[Event]) -> AsyncGenerator[Event]:
    for event in first:
        yield event
    async for event in rest:
        yield event


def _event(event: Event, data: Json) -> Event:
    """The same event with other data."""
    raw = f"event: {event.type}\ndata: ".encode() + to_bytes(data) + b"\n\n"
    return event._replace(data=data, raw=raw)
