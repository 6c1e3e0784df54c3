"""The calls for one question: the chosen model, and one other at most where it cannot answer or
refuses, inside the deadline and before anything of an answer was shown.

The SDK has a middleware that asks again after a refusal. It is not used: no money would be reserved
for what it asks.
"""

from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial

from claude_core.errors import (
    ConnectFailed,
    KitError,
    Overloaded,
    RateLimited,
    Refused,
    UpstreamBroken,
    UpstreamRefused,
)
from claude_core.incoming import Incoming
from claude_core.messages import Request
from claude_core.reservation import Guess
from claude_core.routing.asked import asked
from claude_core.routing.choice import Choice, Last
from claude_core.routing.late import Late
from claude_core.routing.policy import Purse, after_refusal, next_line
from claude_core.serve import Answer, Kit
from claude_core.sse import Event
from claude_core.wire import Json

NEXT_LINE = (Overloaded, RateLimited, UpstreamBroken, ConnectFailed)
"""Of these another model may answer: they are about one model line, or bill nothing."""
TOO_LONG = "too long"
"""In Claude's words on a prompt that does not fit the model."""


@dataclass(frozen=True, slots=True)
class Question:
    """One that is proved, valid and routed."""

    incoming: Incoming
    client: str
    body: Json
    headers: dict[str, str]
    purse: Purse
    choice: Choice
    last: Last | None = None
    """The answer before, where a conversation goes on."""
    late: Late = field(default_factory=Late)
    """Its classification, if that takes longer than it is waited for."""

    @property
    def alone(self) -> bool:
        """Whether nobody else could answer: then the chosen model is tried again."""
        return next_line(self.choice, self.purse) is None

    def request(self, choice: Choice | None = None) -> Request:
        """What the chosen model is asked, or another."""
        return asked(choice or self.choice, self.body, self.headers, self.last)


@dataclass(frozen=True, slots=True)
class Opened:
    """A streamed answer that has begun."""

    choice: Choice
    first: list[Event]
    rest: AsyncGenerator[Event]
    """To be closed whatever happens."""


async def whole(kit: Kit, question: Question, *, deadline: float) -> tuple[Choice, Answer]:
    """An answer, and whose it is; raises as `Kit.answer`."""

    async def ask(request: Request, retried: bool = True) -> Answer:
        return await kit.answer(
            *(question.incoming, question.client, request),
            deadline=deadline,
            counted=True,
            retried=retried,
        )

    try:
        answer = await ask(question.request(), retried=question.alone)
    except KitError as err:
        choice, request = _instead(question, err)
        with _stepped_in(kit, err):
            return choice, await ask(request)
    if answer.reply.stop_reason == "refusal" and (other := _after_refusal(question, answer.cost)):
        with suppress(KitError):  # then the refusal is the answer
            return other, await ask(question.request(other))
    return question.choice, answer


async def opened(
    kit: Kit,
    question: Question,
    *,
    deadline: float,
    open_deadline: float,
    guess: Guess | None = None,
) -> Opened:
    """The same, streamed; raises as `Kit.stream` before its first event."""
    stream = partial(
        kit.stream,
        *(question.incoming, question.client),
        deadline=deadline,
        open_deadline=open_deadline,
        counted=True,
        guess=guess,
    )

    async def begin(choice: Choice, request: Request, retried: bool = True) -> Opened:
        rest = stream(request, retried=retried)
        return Opened(choice, [await anext(rest)], rest)

    try:
        begun = await begin(question.choice, question.request(), retried=question.alone)
    except KitError as err:
        choice, request = _instead(question, err)
        with _stepped_in(kit, err):
            return await begin(choice, request)
    if not question.choice.route.after_refusal:
        return begun
    try:
        if (cost := await _refused(begun)) is None:
            return begun
    except BaseException:
        await begun.rest.aclose()
        raise
    if other := _after_refusal(question, cost):
        with suppress(KitError):  # then the refusal is the answer
            return await begin(other, question.request(other))
    return begun


async def _refused(begun: Opened) -> int | None:
    """What a refusal has cost, if that is what an answer begins with; None: it says something.

    Reads on until that is known, and a refusal to its end.
    """
    # Not to its first words: a block of thoughts that are not shown is silent for minutes.
    while begun.first[-1].type not in ("content_block_start", "message_delta"):
        begun.first.append(await anext(begun.rest))
    last = begun.first[-1]
    if last.type != "message_delta" or last.data["delta"].get("stop_reason") != "refusal":
        return None
    async for event in begun.rest:
        begun.first.append(event)
    settled = begun.first[-1].settled
    return settled.cost if settled else 0


@contextmanager
def _stepped_in(kit: Kit, err: KitError) -> Iterator[None]:
    """Around the other model's answer: what the first one failed with is counted, or is what the
    caller is told where there is no money for the other."""
    told = False
    try:
        yield
    except Refused:
        told = True
        raise err from None
    finally:
        if not told:
            kit.telemetry.absorbed(err)


def _after_refusal(question: Question, cost: int) -> Choice | None:
    choice = after_refusal(question.choice, question.purse)
    return replace(choice, cost=choice.cost + cost) if choice else None


def _instead(question: Question, err: KitError) -> tuple[Choice, Request]:
    """Who answers where the chosen model could not, and what it is asked.

    Raises:
        KitError: `err` itself: nobody can, or it may be billed, or is the caller's to mend.
    """
    found = None
    if isinstance(err, NEXT_LINE):
        found = next_line(question.choice, question.purse)
    elif isinstance(err, UpstreamRefused) and TOO_LONG in err.message:
        found = next_line(question.choice, question.purse, larger=True)
    if found is None:
        raise err
    try:
        return found, question.request(found)
    except Refused:  # what the other model cannot be asked is no fault of the caller's
        raise err from None
