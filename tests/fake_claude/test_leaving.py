"""Whoever leaves is noticed, before the first token too: what tests of cancelling ask for."""

import asyncio
from collections.abc import Callable
from typing import Any

import anthropic
import httpx2
import pytest

from local.fake_claude.inprocess import Fake
from tests.fake_claude.conftest import KEY, ask


@pytest.mark.parametrize("name", ["hang", "hold", "answer delay_ms=60000"])
@pytest.mark.parametrize("streaming", [False, True])
def test_leaving_before_the_first_token_is_noticed_and_costs_nothing(
    fake: Fake, http: httpx2.Client, name: str, streaming: bool
) -> None:
    fake.plan([name])
    with pytest.raises(httpx2.ReadTimeout):
        http.post("/v1/messages", json=ask(stream=streaming), timeout=0.1)
    stats = fake.wait(left=1)
    assert stats["in_flight"]["now"] == 0
    (left,) = stats["left"]["last"]
    assert left["path"] == "/v1/messages"
    assert 0.05 < left["after_s"] < 1
    assert stats["billed"]["output_tokens"] == 0


def test_leaving_in_mid_stream_is_noticed_and_what_was_made_is_billed(
    fake: Fake, sdk: anthropic.Anthropic
) -> None:
    fake.plan(["hold after=3"])
    deltas = 0
    with sdk.messages.create(**ask(), stream=True) as stream:
        for event in stream:
            deltas += event.type == "content_block_delta"
            if deltas == 3:
                break
    stats = fake.wait(left=1)
    assert stats["left"]["last"][0]["output_tokens"] == 3
    assert stats["billed"]["completions"] == 1
    assert stats["billed"]["output_tokens"] == 3
    assert stats["in_flight"]["now"] == 0


@pytest.mark.parametrize("name", ["trickle every_ms=60000", "ping_only every_ms=60000"])
def test_leaving_between_two_bytes_is_noticed_at_once_and_not_with_the_next_one(
    fake: Fake, http: httpx2.Client, name: str
) -> None:
    fake.plan([name])
    with http.stream("POST", "/v1/messages", json=ask(stream=True)):
        pass
    assert fake.wait(left=1)["left"]["last"][0]["after_s"] < 1


def test_leaving_a_slow_answer_that_is_not_streamed_bills_what_was_made_by_then(
    fake: Fake, http: httpx2.Client
) -> None:
    fake.plan([{"tokens": 100, "per_token_ms": 20}])
    with pytest.raises(httpx2.ReadTimeout):
        http.post("/v1/messages", json=ask(), timeout=0.2)
    billed = fake.wait(left=1)["billed"]
    assert billed["completions"] == 1
    assert 1 <= billed["output_tokens"] < 100


def test_a_cancelled_task_of_the_async_client_is_noticed(fake: Fake) -> None:
    async def cancel() -> None:
        async with anthropic.AsyncAnthropic(base_url=fake.url, api_key=KEY) as client:
            task = asyncio.create_task(client.messages.create(**ask()))
            await asyncio.to_thread(fake.wait, in_flight=1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    fake.plan(["hang"])
    asyncio.run(cancel())
    assert fake.wait(left=1)["left"]["total"] == 1


def test_leaving_while_still_sending_is_noticed(fake: Fake, http: httpx2.Client) -> None:
    def half_a_body() -> Any:
        yield b'{"model":'
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        http.post("/v1/messages", content=half_a_body())
    assert fake.wait(left=1)["in_flight"]["now"] == 0


@pytest.mark.parametrize("name", ["answer", "overloaded", "cut", "reset", "truncated", "html"])
def test_staying_to_the_end_is_not_leaving(fake: Fake, http: httpx2.Client, name: str) -> None:
    for streaming in (False, True):
        fake.plan([name])
        try:
            http.post("/v1/messages", json=ask(stream=streaming))
        except httpx2.HTTPError:
            assert name == "reset"
    assert fake.wait(in_flight_at_most=0)["left"]["total"] == 0


@pytest.mark.parametrize("after", [None, 0, 2])
def test_what_is_held_goes_on_when_it_is_released(fake: Fake, after: int | None) -> None:
    async def run(call: Callable[[anthropic.AsyncAnthropic], Any]) -> Any:
        async with anthropic.AsyncAnthropic(base_url=fake.url, api_key=KEY) as client:
            task = asyncio.create_task(call(client))
            await asyncio.to_thread(fake.wait, held=1)
            assert not task.done()
            fake.release()
            return await task

    async def stream(client: anthropic.AsyncAnthropic) -> Any:
        async with client.messages.stream(**ask()) as stream:
            return await stream.get_final_message()

    fake.plan([{"name": "hold", "after": after}])
    assert asyncio.run(run(stream)).stop_reason == "end_turn"
