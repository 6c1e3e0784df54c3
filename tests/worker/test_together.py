"""Calls made together, and calls made again: what goes out of a worker, and how often."""

import asyncio
import gc
import weakref
from itertools import pairwise
from typing import Any

import pytest

from claude_core.errors import AwsUnreachable
from claude_core.insist import insist
from tests.cloud.virtual import VirtualLoop
from worker_src.together import Together


def virtually(doing: Any) -> Any:
    """Run it on a virtual clock; nothing may go wrong beside it, either."""
    loop, wrong = VirtualLoop(), list[Any]()
    loop.set_exception_handler(lambda _, said: wrong.append(said))
    try:
        return loop.run(doing)
    finally:
        loop.close()
        assert not wrong


def test_what_comes_at_once_goes_out_together_ten_at_a_time() -> None:
    made: list[list[int]] = []

    async def call(items: list[int]) -> list[int]:
        made.append(items)
        return [item * 2 for item in items]

    async def go() -> list[int]:
        together = Together(call)
        return await asyncio.gather(*(together(at) for at in range(25)))

    assert virtually(go()) == [at * 2 for at in range(25)]
    assert [len(items) for items in made] == [10, 10, 5]


def test_a_call_that_fails_fails_for_its_own_items_alone() -> None:
    async def call(items: list[int]) -> list[int]:
        if 3 in items:
            raise AwsUnreachable("down")
        return items

    async def go() -> list[Any]:
        together = Together(call, most=2)
        return await asyncio.gather(*(together(at) for at in range(6)), return_exceptions=True)

    found = virtually(go())
    assert [at for at, one in enumerate(found) if isinstance(one, AwsUnreachable)] == [2, 3]


def test_whoever_leaves_before_the_call_is_not_part_of_it() -> None:
    made: list[list[int]] = []

    async def call(items: list[int]) -> list[int]:
        made.append(items)
        return items

    async def go() -> int:
        together = Together(call)
        left = asyncio.create_task(together(1))
        await asyncio.sleep(0)
        left.cancel()
        return await together(2)

    assert virtually(go()) == 2
    assert made == [[2]]


def test_ten_wait_for_nobody_and_fewer_only_for_a_moment() -> None:
    async def call(items: list[int]) -> list[int]:
        return items

    async def go() -> tuple[float, float]:
        loop, together = asyncio.get_running_loop(), Together(call)
        began = loop.time()
        await asyncio.gather(*(together(at) for at in range(10)))
        ten = loop.time()
        await together(11)
        return ten - began, loop.time() - ten

    ten_s, one_s = virtually(go())
    assert ten_s == 0
    assert 0 < one_s < 0.1


def test_a_call_that_nobody_else_holds_is_not_lost_to_the_collector() -> None:
    """The loop itself refers to a task but weakly: https://docs.python.org/3/library/asyncio-task.html"""
    answers: list[weakref.ref[asyncio.Future[None]]] = []

    async def call(items: list[int]) -> list[int]:
        answer = asyncio.get_running_loop().create_future()
        answers.append(weakref.ref(answer))
        await answer
        return items

    async def go() -> int:
        together = Together(call)
        waiting = asyncio.create_task(together(1))
        await asyncio.sleep(1.0)
        gc.collect()
        answer = answers[0]()
        assert answer is not None
        answer.set_result(None)
        return await waiting

    assert virtually(go()) == 1


def test_insisting_waits_ever_longer_but_never_more_than_five_seconds() -> None:
    times: list[float] = []

    async def never() -> None:
        times.append(asyncio.get_running_loop().time())
        raise AwsUnreachable("down")

    async def go() -> None:
        with pytest.raises(AwsUnreachable):
            await insist(never, seconds=60.0)

    virtually(go())
    waits = [b - a for a, b in pairwise(times)]
    assert all(b == pytest.approx(min(5.0, 2 * a)) for a, b in pairwise(waits))


def test_insisting_ends_when_its_time_is_over() -> None:
    tries = 0

    async def never() -> None:
        nonlocal tries
        tries += 1
        raise AwsUnreachable("down")

    async def go() -> float:
        with pytest.raises(AwsUnreachable):
            await insist(never, seconds=60.0)
        return asyncio.get_running_loop().time()

    assert 50 < virtually(go()) <= 60
    assert tries < 20
