"""The router's memory of which model a conversation is on."""

import asyncio
import random
from typing import Any, cast

from claude_core.aws import Aws
from claude_core.models import resolve
from claude_core.routes import Table
from claude_core.routing.choice import Choice, Reason, Verdict
from claude_core.routing.conversations import Conversations
from local.fake_claude.inprocess import Fake
from tests.cloud.cloud import Cloud
from tests.cloud.keys import Keys
from tests.contracts.recording import Json, Moment, Recording, in_order
from tests.doubles import AwsDouble

TABLE, CLIENT, AT = "routed", "client_1", 1_795_000_000.0
LATER_S = 60.0
DEEP, ROUTES = resolve("deep"), Table.own()
ASKED: list[Any] = [{"role": "user", "content": "Mend my code."}]
ANSWERS: dict[str, Any] = {
    "a tool": [{"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}],
    "a text": [{"type": "text", "text": "It is mended."}],
    "a thought": [{"type": "thinking", "thinking": "Hm.", "signature": "s"}],
}


def write(_: AwsDouble, __: Fake) -> Recording:
    return asyncio.run(_write())


async def _write() -> Recording:
    """Answers that each hold their conversation to a model in another way."""
    cloud, conversations = _conversations(AT)
    route = ROUTES.routes["code"]
    sure = Choice(route=route, model=DEEP, reason=Reason.CLASSIFIED, verdict=Verdict("code", 0.75))
    asked_for = Choice(route=route, model=DEEP, reason=Reason.ASKED)
    for choice, (name, answer) in zip((sure, asked_for, sure), ANSWERS.items(), strict=True):
        body = {"messages": _said(name)}
        warm, waits = name == "a text", name == "a tool"
        await conversations.note(CLIENT, body, choice, answer, warm=warm, waits=waits)
    rows = in_order(cloud.dynamo.tables[TABLE].items.values())
    return Recording({"noted": Moment({TABLE: rows})})


def _said(name: str) -> list[Any]:
    return [{"role": "user", "content": f"Mend my code, with {name}."}]


def read(recording: Recording, _: AwsDouble) -> Json:
    """What today's router knows of each conversation when it goes on."""
    return asyncio.run(_read(recording))


async def _read(recording: Recording) -> Json:
    cloud, conversations = _conversations(AT + LATER_S)
    cloud.dynamo.tables[TABLE].add(*recording.moments["noted"].tables[TABLE])
    found: Json = {}
    for name, answer in ANSWERS.items():
        messages = [*_said(name), {"role": "assistant", "content": answer}, *ASKED]
        last = await conversations.last(CLIENT, {"messages": messages}, ROUTES)
        found[name] = last and {
            "model": last.model.id,
            "intent": last.route.intent,
            "confidence": last.verdict and last.verdict.confidence,
            "holds": last.holds,
            "thoughts from": last.thoughts_from,
            "setting": last.setting,
        }
    return found


def _conversations(at: float) -> tuple[Cloud, Conversations]:
    cloud = Cloud(lambda: at, random.Random(1))
    cloud.dynamo.add(TABLE, Keys("id"))

    def fail(what: str) -> None:
        raise AssertionError(what)

    return cloud, Conversations(cast(Aws, cloud), TABLE, trouble=fail, now=lambda: at)
