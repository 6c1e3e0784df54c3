"""Batches for the tests: their requests, and their results by custom_id."""

from collections.abc import Mapping, Sequence
from typing import Any

import anthropic
from anthropic.types.messages import MessageBatch

from local.fake_claude.inprocess import Fake
from tests.fake_claude.conftest import ask

PATH = "/v1/messages/batches"


def requests(texts: Mapping[str, str] | Sequence[str]) -> list[Any]:
    """A request for each text, called by its key, or `r0`, `r1` and so on."""
    named = texts if isinstance(texts, Mapping) else {f"r{n}": each for n, each in enumerate(texts)}
    return [{"custom_id": name, "params": ask(text)} for name, text in named.items()]


def many(count: int) -> list[Any]:
    return requests([f"question {number}" for number in range(count)])


def ended(fake: Fake, sdk: anthropic.Anthropic, wanted: list[Any]) -> MessageBatch:
    """A batch of these requests that has ended."""
    batch = sdk.messages.batches.create(requests=wanted)
    fake.end_batches(batch.id)
    return sdk.messages.batches.retrieve(batch.id)


def results(sdk: anthropic.Anthropic, batch: MessageBatch) -> dict[str, Any]:
    """What each request came to; a custom_id that comes twice is an error."""
    lines = list(sdk.messages.batches.results(batch.id))
    found = {line.custom_id: line.result for line in lines}
    assert len(found) == len(lines)
    return found
