"""The same for many things, some of them at once."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from claude_core.each import each


def test_never_more_at_once_than_was_said_and_what_comes_is_not_read_ahead() -> None:
    running, most, read = 0, 0, 0

    async def coming() -> AsyncIterator[int]:
        nonlocal read
        for number in range(50):
            read += 1
            yield number

    async def do(number: int) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        assert read <= number + 8
        await asyncio.sleep(0)
        running -= 1

    asyncio.run(each(coming(), do, at_once=4))
    assert (read, most) == (50, 4)


def test_after_an_error_nothing_is_begun_and_what_had_begun_ends() -> None:
    begun, ended = list[int](), list[int]()

    async def do(number: int) -> None:
        begun.append(number)
        await asyncio.sleep(0)
        if number == 1:
            raise ValueError("no")
        await asyncio.sleep(0.01)
        ended.append(number)

    with pytest.raises(ValueError, match="no"):
        asyncio.run(each(range(100), do, at_once=3))
    assert len(begun) < 10
    assert ended == [number for number in begun if number != 1]
