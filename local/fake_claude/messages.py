"""`POST /v1/messages` and `POST /v1/messages/count_tokens`."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.types import ASGIApp

from local.fake_claude import access, prompt, sse, validate
from local.fake_claude import request as requests
from local.fake_claude.answer import Answer
from local.fake_claude.behaviours import BEHAVIOURS
from local.fake_claude.choose import choose
from local.fake_claude.compose import compose
from local.fake_claude.record import Record
from local.fake_claude.recording import RECORD
from local.fake_claude.script import Script
from local.fake_claude.state import State
from local.fake_claude.turn import Turn

# Message batches will be a module beside this one, with routes of their own in `app.py`.


async def create_message(request: Request) -> ASGIApp:
    """Answer a conversation, in one piece or as a stream."""
    fake, record, body = _read(request)
    validate.message(body, beta="anthropic-beta" in request.headers)
    return _turn(Turn, fake, record, body, header=request.headers.get("x-fake"), planned=True)


async def count_tokens(request: Request) -> ASGIApp:
    """Say how many tokens a prompt has; scripts in header or prompt work here too, plans do not."""
    fake, record, body = _read(request)
    validate.count(body, beta="anthropic-beta" in request.headers)
    return _turn(Counting, fake, record, body, header=request.headers.get("x-fake"), planned=False)


class Counting(Turn):
    """A count, delivered like an answer, so that it can go wrong in the same ways."""

    def payload(self) -> dict[str, Any]:
        return {"input_tokens": prompt.input_tokens(self.body)}

    def partial(self) -> dict[str, Any]:
        return self.payload()

    async def events(self, deltas: int | None = None) -> AsyncIterator[sse.Event]:
        return
        yield

    def bill_in_full(self) -> None:
        """Counting is free."""


def _read(request: Request) -> tuple[State, Record, Mapping[str, Any]]:
    fake: State = request.app.state.fake
    record: Record = request.scope[RECORD]
    access.check(request.headers, fake.keys)
    return fake, record, requests.parse(record.raw, record.size)


def _turn(
    kind: type[Turn],
    fake: State,
    record: Record,
    body: Mapping[str, Any],
    *,
    header: str | None,
    planned: bool,
) -> Turn:
    script = choose(fake, body, header=header, route=record.route, planned=planned)
    record.behaviour = script.name

    def answer(body: Mapping[str, Any], script: Script) -> Answer:
        return _answer(fake, body, script)

    deliver = BEHAVIOURS[script.name].deliver
    return kind(fake, record, body, script, compose=answer, deliver=deliver)


def _answer(fake: State, body: Mapping[str, Any], script: Script) -> Answer:
    """What is said, bent as scripted, and never longer than `max_tokens`."""
    usage = fake.cache.consult(body["model"], prompt.segments(body), body.get("cache_control"))
    answer = replace(
        compose(body, script), input_usage=usage, usage_override=script.usage, extra=script.extra
    )
    answer = BEHAVIOURS[script.name].shape(answer, body, script.params)
    if answer.tokens > body["max_tokens"]:
        answer = answer.first(body["max_tokens"], "max_tokens")
    uncached = usage.fresh + sum(usage.written.values())
    fake.limits.spend(requests=1, input_tokens=uncached, output_tokens=answer.output_tokens)
    return answer
