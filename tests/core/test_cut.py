"""A stream that is cut, at each of its bytes: none of it is ever taken for a whole answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import httpx2

from claude_core.errors import AnswerLost
from claude_core.stream import Streamed
from local.fake_claude.inprocess import Fake
from tests.doubles import CLAUDE_KEY


def recorded(claude: Fake) -> bytes:
    """What Claude sends for an answer of some length, byte for byte."""
    body = {
        "model": "claude-haiku-5-5",
        "max_tokens": 100,
        "stream": True,
        "messages": [{"role": "user", "content": "hello"}],
    }
    headers = {"x-api-key": CLAUDE_KEY, "anthropic-version": "2023-06-01"}
    return httpx2.post(f"{claude.url}/v1/messages", json=body, headers=headers).content


async def read(raw: bytes) -> tuple[bool, str | None]:
    """Whether it was taken for whole, and the stop reason that was noted."""

    async def chunks() -> AsyncIterator[bytes]:
        yield raw

    async def close() -> None:
        pass

    deadline = asyncio.get_running_loop().time() + 60
    streamed = Streamed(chunks(), close, deadline=deadline)
    async with aclosing(streamed):
        try:
            async for _ in streamed:
                pass
        except AnswerLost:
            return False, streamed.stop_reason
        return streamed.ended, streamed.stop_reason


def test_a_stream_cut_at_any_of_its_bytes_is_lost_and_only_the_whole_one_is_whole(
    claude: Fake,
) -> None:
    raw = recorded(claude)

    async def every() -> list[bool]:
        return [(await read(raw[:at]))[0] for at in range(len(raw))]

    cuts = asyncio.run(every())
    assert len(cuts) > 1_000
    assert not any(cuts)
    assert asyncio.run(read(raw)) == (True, "end_turn")
