"""The same for many things, some of them at once."""

import asyncio
import gc
import warnings
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


def test_task_cancelled_before_its_first_step_leaves_no_coroutine_unawaited() -> None:
    async def do(number: int) -> None:
        made.append(number)

    made = list[int]()

    async def go() -> None:
        doing = asyncio.create_task(each([1], do))
        await asyncio.sleep(0)  # the task of the only thing is made, and has not run
        for task in asyncio.all_tasks() - {asyncio.current_task(), doing}:
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await doing

    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        asyncio.run(go())
        gc.collect()
    assert [str(one.message) for one in warned] == []
    assert made == []
