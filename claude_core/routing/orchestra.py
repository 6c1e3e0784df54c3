"""A question's whole way: proved, routed, answered by the model that was chosen, and explained."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial

from claude_core.clients import ClientKey
from claude_core.errors import KitError
from claude_core.incoming import Incoming
from claude_core.limits import Limits
from claude_core.messages import Request
from claude_core.reply import Reply
from claude_core.routes import Table
from claude_core.routing import calls, counted
from claude_core.routing.asked import body_of, checked
from claude_core.routing.calls import Opened, Question
from claude_core.routing.choice import Choice, Last, Reason
from claude_core.routing.conversations import Conversations
from claude_core.routing.early import Early, may_begin_early
from claude_core.routing.policy import Purse, decide
from claude_core.routing.router import Router
from claude_core.routing.shown import Ended, Shown, explained, joined
from claude_core.serve import Kit
from claude_core.sse import Event
from claude_core.wire import Json

UNFINISHED = ("tool_use", "pause_turn")
"""Of a turn: the model goes on with what a tool answers, the caller's or Claude's own."""


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
        self,
        kit: Kit,
        table: Table,
        conversations: Conversations | None = None,
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Without a table of `conversations` each question is chosen for alone, and no thoughts go
        along."""
        self._kit, self._router, self._conversations = kit, Router(table, now=now), conversations

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
        question, known = await self._proved(incoming, key, body, headers)
        async with question.late:
            if known is None:
                question = replace(question, choice=await self._classified(question))
            choice, answer = await calls.whole(self._kit, question, deadline=deadline)
            reply = answer.reply
            ended = Ended(reply.usage, reply.stop_reason, reply.message.get("content"))
            await self._ended(question, choice, ended)
            return Routed(explained(reply, choice), reply, choice, answer.limits)

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
        question, opened = await self._begun(
            *(incoming, key, body, headers), deadline=deadline, open_deadline=open_deadline
        )
        shown, told = Shown(opened.choice), False
        try:
            async with question.late, aclosing(opened.rest):
                async for event in joined(opened.first, opened.rest):
                    said = shown.event(event)
                    if event.type == "message_stop":  # after it a function may be frozen
                        told = True
                        await self._ended(question, opened.choice, shown.ended)
                    yield said
        finally:
            if not told:  # cut, or its caller left: what it saved is not known
                counted.answered(self._kit.telemetry, question, opened.choice)

    async def _begun(
        self,
        incoming: Incoming,
        key: ClientKey,
        body: Json,
        headers: dict[str, str],
        *,
        deadline: float,
        open_deadline: float,
    ) -> tuple[Question, Opened]:
        """A question that is routed, and its answer, which has begun."""
        question, known = await self._proved(incoming, key, body, headers)
        begin = partial(calls.opened, deadline=deadline, open_deadline=open_deadline)
        if known:
            return question, await begin(self._kit, question)
        early = None
        if may_begin_early(self._router.table, question):
            early = Early(self._kit, question, deadline=deadline, open_deadline=open_deadline)
        try:
            question = replace(question, choice=await self._classified(question))
            wanted = early is not None and early.agrees(question.choice)
            guess, early = early, None
            if guess and wanted:
                return question, await guess.keep(question.choice)
            if guess:
                guess.leave()
            return question, await begin(self._kit, question)
        except BaseException:
            if early:
                early.leave()
            await question.late.over()
            raise

    async def _proved(
        self, incoming: Incoming, key: ClientKey, body: Json, headers: dict[str, str]
    ) -> tuple[Question, Choice | None]:
        """A question that may be asked, on the default route until it is known better; and the
        choice, if nobody has to be asked for it."""
        body, table = body_of(body), self._router.table
        needs = checked(table, body, headers).needs
        # Beside the proof, so that it takes no time of its own.
        looking = asyncio.create_task(self._last(key.id, body))
        try:
            row = (await self._kit.prove(key, needs)).row
            last = await looking
        finally:
            looking.cancel()
        purse = Purse.of(row)
        known = self._router.known(body, purse, last)
        choice = known or decide(table, purse, None, Reason.UNSURE)
        return Question(incoming, row.id, body, headers, purse, choice, last), known

    async def _last(self, client: str, body: Json) -> Last | None:
        known = self._conversations
        return await known.last(client, body, self._router.table) if known else None

    async def _classified(self, question: Question) -> Choice:
        telemetry = self._kit.telemetry

        async def ask(request: Request, deadline: float) -> tuple[Reply, int]:
            try:
                found = await self._kit.answer(
                    *(question.incoming, question.client, request),
                    deadline=deadline,
                    counted=True,
                    retried=False,
                    counts_as="classifications",
                )
            except KitError as err:
                telemetry.absorbed(err)
                raise
            return found.reply, found.cost

        choice = await self._router.classified(*(question.body, question.purse, ask, question.late))
        counted.chosen(telemetry, choice)
        return choice

    async def _ended(self, question: Question, choice: Choice, ended: Ended) -> None:
        counted.answered(self._kit.telemetry, question, choice, ended.usage)
        await question.late.over()
        if self._conversations is None:
            return
        kept = ended.usage.cache_read_tokens + ended.usage.cache_write_tokens > 0
        await self._conversations.note(
            *(question.client, question.body, choice, ended.content, question.last),
            warm=kept and choice.reason not in (*counted.INSTEAD, Reason.BUDGET),
            waits=ended.stop_reason in UNFINISHED,
        )
