"""`POST /v1/messages` and `POST /v1/messages/count_tokens`."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.types import ASGIApp

from local.fake_claude import access, prompt, validate
from local.fake_claude.answer import Answer
from local.fake_claude.answering import Answering, say
from local.fake_claude.choose import choose
from local.fake_claude.operation import Operation
from local.fake_claude.record import Record
from local.fake_claude.recording import RECORD
from local.fake_claude.script import Script
from local.fake_claude.state import State


async def create_message(request: Request) -> ASGIApp:
    """Answer a conversation, in one piece or as a stream."""
    fake, record, body = _read(request)
    checked = validate.message(body, beta="anthropic-beta" in request.headers)
    prompt_of = (body["model"], checked.segments, body.get("cache_control"))
    line = record.line = checked.model.line
    taken = fake.limits.admit(line, lambda: fake.cache.consult(*prompt_of, dry=True).uncached)
    script = _script(request, body)

    def answer() -> Answer:
        said = say(fake, body, checked.segments, script)
        fake.limits.settle(
            line,
            input_tokens=said.input_usage.uncached - taken,
            output_tokens=said.output_tokens,
        )
        return said

    return Answering(fake, record, script, streaming=body.get("stream", False), answer=answer)


async def count_tokens(request: Request) -> ASGIApp:
    """Say how many tokens a prompt has; free, and scripted as messages are."""
    fake, record, body = _read(request)
    size = validate.count(body, beta="anthropic-beta" in request.headers)
    script = _script(request, body)
    return Operation(fake, record, script, lambda: {"input_tokens": size})


def _read(request: Request) -> tuple[State, Record, Mapping[str, Any]]:
    fake: State = request.app.state.fake
    record: Record = request.scope[RECORD]
    access.check(request.headers, fake.keys)
    return fake, record, record.body()


def _script(request: Request, body: Mapping[str, Any]) -> Script:
    fake, record = request.app.state.fake, request.scope[RECORD]
    header, asked = request.headers.get("x-fake"), prompt.last_user_text(body)
    script = choose(fake, route=record.route, header=header, asked=asked, model=body["model"])
    record.behaviour = script.name
    return script
