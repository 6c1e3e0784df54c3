"""A deployment that routes the questions of one client, against moto and the fake Claude."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any, TypeVar

import pytest

from claude_core.clients import ClientKey
from claude_core.incoming import Incoming
from claude_core.models import NANO
from claude_core.routes import Table
from claude_core.routing import Conversations, Orchestra
from claude_core.serve import Kit
from claude_core.sse import Event
from claude_core.telemetry import Telemetry
from local.fake_claude.inprocess import Fake
from tests.core.routing import verdict
from tests.doubles import AwsDouble

T = TypeVar("T")
HAIKU, SONNET, OPUS = "claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5"
INCOMING = Incoming("req_1")


def sorts(intent: str) -> dict[str, Any]:
    """What a plan has for the next classification."""
    return {"name": "answer", "text": verdict(intent), "model": HAIKU}


def counted(capfd: pytest.CaptureFixture[str]) -> dict[str, float]:
    """Each metric's sum."""
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines() if "_aws" in line]
    found: dict[str, float] = {}
    for line in lines:
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        for name in (metric["Name"] for metric in directive["Metrics"]):
            found[name] = found.get(name, 0) + sum(line[name])
    return found


class Deployed:
    """A deployment with one client."""

    def __init__(self, aws: AwsDouble, claude: Fake) -> None:
        self.aws, self.claude = aws, claude
        self._settings = aws.settings(claude.url)
        key, self.client = aws.add_client(models=("fast", "balanced", "deep"))
        self.key, self.table = ClientKey.parse(key), Table.own()
        self.now, self.troubles = 1_000_000.0, list[str]()

    def run(self, do: Callable[[Orchestra, float], Awaitable[T]], seconds: float = 10) -> T:
        async def inner() -> T:
            kit = Kit.build(self._settings, self.aws.runtime, Telemetry("tests"))
            try:
                deadline = asyncio.get_running_loop().time() + seconds
                return await do(Orchestra(kit, self.table, self.kept(kit)), deadline)
            finally:
                await kit.close()

        return asyncio.run(inner())

    def kept(self, kit: Kit) -> Conversations:
        return Conversations(
            kit.aws, self.aws.routed_table(), trouble=self.troubles.append, now=lambda: self.now
        )

    def whole(self, key: ClientKey | None = None, **body: Any) -> dict[str, Any]:
        async def do(orchestra: Orchestra, deadline: float) -> dict[str, Any]:
            routed = await orchestra.answer(INCOMING, key or self.key, body, {}, deadline=deadline)
            return dict(json.loads(routed.body))

        return self.run(do)

    def streamed(self, **body: Any) -> list[Event]:
        async def do(orchestra: Orchestra, deadline: float) -> list[Event]:
            events = orchestra.stream(
                *(INCOMING, self.key, body | {"stream": True}, {}),
                deadline=deadline,
                open_deadline=deadline,
            )
            async with aclosing(events):
                return [event async for event in events]

        return self.run(do)

    @property
    def spent_usd(self) -> float:
        row = self.aws.row(self.client)
        return sum(int(row[name]) for name in row if name.startswith("spent_")) / NANO
