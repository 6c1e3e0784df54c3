"""A worker that is told to go ends in time, and lets go of all that it had."""

import asyncio
from typing import Any

import pytest

from claude_core.errors import AwsUnreachable
from tests.cloud.cloud import Do
from tests.cloud.refusing import Payload
from tests.worker.taking import DRAIN_S, Taking, play
from worker_src.run import Run
from worker_src.worker import POLL_S


@pytest.mark.parametrize("slots", [4, 20])
def test_what_does_not_end_is_let_go_in_time_and_before_the_worker_has_ended(slots: int) -> None:
    """Also where all slots are taken, and the intake waits for one."""
    took_s = 0.0

    async def work(one: Taking) -> None:
        nonlocal took_s

        async def leave(run: Run) -> None:
            nonlocal took_s
            took_s = one.loop.time() - began
            await asyncio.sleep(3)
            await one.let(run)

        one.job, one.leave = one.lasting(800), leave
        for at in range(4):
            one.send(f"job-{at}")
        await asyncio.sleep(5)
        began = one.loop.time()

    one = play(work, slots=slots)
    assert sorted(one.left) == [f"job-{at}" for at in range(4)]
    assert one.counts() == (4, 0, 0), "another worker can take them at once"
    assert DRAIN_S - 20 < took_s < DRAIN_S - 5


def test_what_ends_by_itself_is_waited_for() -> None:
    async def work(one: Taking) -> None:
        one.job = one.lasting(60)
        one.send("job")
        await asyncio.sleep(5)

    one = play(work)
    assert (one.left, len(one.messages)) == ([], 0)
    assert one.loop.time() < 70


def test_what_comes_while_draining_is_back_at_once() -> None:
    async def work(one: Taking) -> None:
        await asyncio.sleep(5)
        one.loop.call_later(5, one.send, "job")

    one = play(work)
    assert not one.begun
    assert one.counts() == (1, 0, 0)


def test_a_receive_whose_answer_is_late_is_not_cut_off() -> None:
    """What it was given would be hidden for a whole visibility timeout."""

    async def work(one: Taking) -> None:
        async def around(service: str, action: str, payload: Payload, do: Do) -> Any:
            answer = await do()
            if action == "ReceiveMessage":
                await asyncio.sleep(1)
            return answer

        one.around = around
        await asyncio.sleep(0.1)
        one.loop.call_later(POLL_S - 1.2 - one.loop.time(), one.send, "job")

    one = play(work)
    assert not one.begun
    assert one.counts() == (1, 0, 0)


def test_a_job_that_cannot_be_let_go_is_told_of_and_keeps_no_other() -> None:
    async def work(one: Taking) -> None:
        async def leave(run: Run) -> None:
            if run.pointer.job == "job-0":
                raise AwsUnreachable("the table")
            if run.pointer.job == "job-1":
                raise ValueError("nobody foresaw it")
            await asyncio.sleep(1)
            await one.let(run)

        one.job, one.leave = one.lasting(800), leave
        for at in range(4):
            one.send(f"job-{at}")
        await asyncio.sleep(5)

    one = play(work)
    assert sorted(one.left) == ["job-2", "job-3"]
    assert one.telemetry.troubles == ["a job is held until its lease ends: the table"]


def test_an_intake_that_broke_ends_the_worker_so_that_it_is_replaced() -> None:
    async def work(one: Taking) -> None:
        async def around(service: str, action: str, payload: Payload, do: Do) -> Any:
            raise ZeroDivisionError("a bug")

        one.around = around
        await asyncio.sleep(60)

    with pytest.raises(ZeroDivisionError, match="a bug"):
        play(work)
