"""A message as the answer to a request: what is said, how fast, and at whose cost."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from local.fake_claude import sse
from local.fake_claude.answer import Answer
from local.fake_claude.behaviours import BEHAVIOURS
from local.fake_claude.billing import Tab
from local.fake_claude.compose import compose
from local.fake_claude.prompt import Segment
from local.fake_claude.record import Record
from local.fake_claude.script import Script
from local.fake_claude.state import State
from local.fake_claude.turn import Turn

Body = Mapping[str, Any]


def say(
    fake: State, body: Body, segments: Sequence[Segment], script: Script, *, tier: str = "standard"
) -> Answer:
    """What is said, bent as scripted, and never longer than `max_tokens`."""
    usage = fake.cache.consult(body["model"], segments, body.get("cache_control"))
    answer = replace(
        compose(body, script),
        input_usage=usage,
        usage_override=script.usage,
        service_tier=tier,
        extra=script.extra,
    )
    answer = BEHAVIOURS[script.name].shape(answer, body, script.params)
    if answer.tokens > body["max_tokens"]:
        answer = answer.first(body["max_tokens"], "max_tokens")
    return answer


class Answering(Turn):
    """A message, in one piece or as a stream, each token billed as it is made."""

    def __init__(
        self,
        fake: State,
        record: Record,
        script: Script,
        *,
        streaming: bool,
        answer: Callable[[], Answer],
    ) -> None:
        super().__init__(fake, record, script, BEHAVIOURS[script.name].deliver)
        self.streaming = streaming
        self._stats, self._say = fake.stats, answer
        self._made = 0

    @cached_property
    def answer(self) -> Answer:
        """The answer, made when it is first needed: a refusal costs nothing and caches nothing."""
        return self._say()

    def payload(self) -> dict[str, Any]:
        return self.answer.to_json()

    def partial(self) -> dict[str, Any]:
        return self.answer.first(self._made, None).to_json()

    async def events(self, deltas: int | None = None) -> AsyncIterator[sse.Event]:
        shown = 0
        pace = _Pace(self.script)
        for event in sse.events(self.answer):
            if deltas is not None and (
                event.name == "message_delta" or (event.costs and shown >= deltas)
            ):
                return
            if event.costs:
                await pace.next_token()
                self._made += 1
                self._tab.up_to(self._made)
                self.record.output_tokens = self._tab.output_tokens
                shown += event.data is not None
            elif event.name == "message_delta":
                self.bill_in_full()
            yield event

    async def start_stream(self) -> None:
        _ = self.answer
        await super().start_stream()

    def bill_in_full(self) -> None:
        self._tab.in_full()
        self.record.output_tokens = self._tab.output_tokens

    @cached_property
    def _tab(self) -> Tab:
        return Tab(self._stats.ledger, self.answer.model, self.answer.usage())


class _Pace:
    """When the next token is due, by the clock, so that small delays do not add up."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._clock = asyncio.get_running_loop().time
        self._due = self._clock() + script.first_token_ms / 1_000

    async def next_token(self) -> None:
        await asyncio.sleep(max(0.0, self._due - self._clock()))
        self._due += self._script.per_token_ms / 1_000
