"""What a worker has in flight: bounded, shared, and one job alone where it must be."""

import asyncio

import pytest

from tests.cloud.virtual import VirtualLoop
from worker_src.slots import SEEN_S, Slots

NOW = 1_000.0


def slots(jobs: int = 4, bytes: int = 1_000) -> Slots:
    return Slots(jobs=jobs, bytes=bytes, now=lambda: NOW)


def test_bytes_are_bounded_but_one_large_job_runs_by_itself() -> None:
    some = slots()
    assert some.fits("a", 5_000)
    some.take("a", 400)
    assert some.fits("a", 600)
    assert not some.fits("a", 601)
    some.give_back("a", 400)
    assert some.fits("a", 601)


def test_one_client_has_all_slots_until_another_asks() -> None:
    some = slots()
    for _ in range(3):
        assert some.fits("a", 1)
        some.take("a", 1)
    assert some.fits("b", 1)
    assert not some.fits("a", 1)


def test_bytes_of_all_jobs_are_counted_until_each_is_given_back() -> None:
    some = slots()
    some.take("a", 400)
    some.take("a", 500)
    assert some.fits("a", 100)
    assert not some.fits("a", 101)
    some.give_back("a", 400)
    assert some.fits("a", 500)
    assert not some.fits("a", 501)


@pytest.mark.parametrize(("jobs", "share"), [(4, 2), (5, 2), (6, 3)])
def test_while_others_ask_a_client_has_half_of_the_slots(jobs: int, share: int) -> None:
    some = slots(jobs=jobs)
    some.fits("b", 1)
    for _ in range(share):
        assert some.fits("a", 1)
        some.take("a", 1)
    assert not some.fits("a", 1)
    for _ in range(2):
        some.give_back("a", 1)
        assert some.fits("a", 1)
    for _ in range(2):
        assert some.fits("a", 1)
        some.take("a", 1)
    assert not some.fits("a", 1)


def test_a_client_that_has_asked_for_nothing_lately_keeps_no_room() -> None:
    now = NOW
    some = Slots(jobs=2, bytes=1_000, now=lambda: now)
    some.fits("b", 1)
    some.take("a", 1)
    now += SEEN_S - 1
    assert not some.fits("a", 1)
    now += 2
    assert some.fits("a", 1)


def test_a_slot_that_is_free_is_used_though_others_stay_taken() -> None:
    loop, some = VirtualLoop(), slots(jobs=2)
    some.take("a", 1)
    assert loop.run(some.free(10, within_s=0.5)) == 1
    assert loop.time() == 0.5, "it waits a little for more"
    loop.close()


def test_while_one_is_alone_nothing_is_begun() -> None:
    async def go() -> None:
        some = slots()
        some.take("a", 1)
        async with some.alone():
            intake = asyncio.create_task(some.free(1, within_s=0.0))
            for _ in range(5):
                await asyncio.sleep(0)
            assert not intake.done()
        assert await intake == 3

    asyncio.run(go())


def test_whoever_waits_for_a_slot_gets_it_when_one_is_given_back() -> None:
    async def go() -> int:
        some = slots(jobs=1)
        some.take("a", 1)
        waiting = asyncio.create_task(some.free(10, within_s=0.01))
        await asyncio.sleep(0)
        assert not waiting.done()
        some.give_back("a", 1)
        return await waiting

    assert asyncio.run(go()) == 1


def test_slots_that_get_free_together_are_taken_together() -> None:
    async def go() -> int:
        some = slots(jobs=20)
        for _ in range(20):
            some.take("a", 1)
        waiting = asyncio.create_task(some.free(10, within_s=5.0))
        for _ in range(10):
            await asyncio.sleep(0)
            some.give_back("a", 1)
        return await waiting

    assert asyncio.run(go()) == 10


def test_alone_waits_for_all_others_and_keeps_all_others_out() -> None:
    async def go() -> list[str]:
        some, said = slots(), list[str]()
        some.take("a", 1)
        some.take("a", 1)

        async def alone() -> None:
            async with some.alone():
                said.append("alone")
                assert some.jobs == 1
                await asyncio.sleep(0.01)
                said.append("done")
            some.give_back("a", 1)

        running = asyncio.create_task(alone())
        await asyncio.sleep(0)
        intake = asyncio.create_task(some.free(1, within_s=0.0))
        await asyncio.sleep(0)
        assert not said
        some.give_back("a", 1)
        await running
        await intake
        said.append("next")
        return said

    assert asyncio.run(go()) == ["alone", "done", "next"]


@pytest.mark.parametrize("many", [2, 5])
def test_several_that_must_be_alone_take_turns(many: int) -> None:
    async def go() -> int:
        some = slots(jobs=10)
        together = most = 0

        async def alone() -> None:
            nonlocal together, most
            some.take("a", 1)
            async with some.alone():
                together += 1
                most = max(most, together)
                await asyncio.sleep(0.001)
                together -= 1
            some.give_back("a", 1)

        await asyncio.gather(*(alone() for _ in range(many)))
        return most

    assert asyncio.run(go()) == 1
