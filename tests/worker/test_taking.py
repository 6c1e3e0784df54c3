"""What a worker makes of each message, and of a queue that does not answer."""

import asyncio

import pytest

from claude_core.aws import AwsRefused
from claude_core.errors import AwsUnreachable
from tests.cloud.virtual import VirtualLoop
from tests.worker.taking import VISIBILITY_S, Taking, play
from worker_src.run import Run
from worker_src.worker import FULL_S


def test_what_is_none_of_ours_goes_to_the_dead_letters_and_what_came_with_it_is_begun() -> None:
    async def work(one: Taking) -> None:
        for at in range(5):
            one.post(f"hello {at}")
            one.send(f"job-{at}")
        await asyncio.sleep(1)
        assert {job for job, _ in one.begun} == {f"job-{at}" for at in range(5)}

    one = play(work)
    assert sorted(letter.body for letter in one.letters.values()) == [
        f"hello {at}" for at in range(5)
    ]
    assert not one.messages
    assert all("not a message of this kit" in trouble for trouble in one.telemetry.troubles)
    assert len(one.telemetry.troubles) == 5


@pytest.mark.parametrize("how", ["fail", "refuse"])
def test_what_cannot_be_moved_to_the_dead_letters_stays_until_it_can(how: str) -> None:
    async def work(one: Taking) -> None:
        getattr(one, how)("SendMessageBatch")
        one.post("hello")
        await asyncio.sleep(10)
        assert len(one.messages) == 1
        assert "could not be moved: " in one.telemetry.troubles[-1]
        one.around = None
        await asyncio.sleep(VISIBILITY_S)

    one = play(work)
    assert (len(one.messages), len(one.letters)) == (0, 1)


def test_a_message_that_comes_again_is_deleted_by_its_newest_handle() -> None:
    async def work(one: Taking) -> None:
        one.job = one.lasting(VISIBILITY_S * 2.5)
        one.send("job")
        await asyncio.sleep(VISIBILITY_S * 3)
        assert len(one.begun) == 1

    assert not play(work).messages


def test_another_message_of_a_job_in_work_waits_until_that_may_be_over() -> None:
    async def work(one: Taking) -> None:
        one.job = one.lasting(10)
        one.send("job")
        one.send("job")
        await asyncio.sleep(VISIBILITY_S + 20)

    one = play(work)
    assert [at for _, at in one.begun] == pytest.approx([0, VISIBILITY_S], abs=1)
    assert not one.messages


def test_what_does_not_fit_comes_again_shortly() -> None:
    async def work(one: Taking) -> None:
        one.job = one.lasting(FULL_S + 3)
        one.send("large", bytes=90)
        await asyncio.sleep(1)
        one.send("larger", bytes=20)
        await asyncio.sleep(4 * FULL_S)

    one = play(work, bytes=100)
    assert [job for job, _ in one.begun] == ["large", "larger"]
    assert one.begun[1][1] == pytest.approx(1 + 2 * FULL_S, abs=0.2)


def test_one_client_has_half_of_the_slots_while_another_asks_and_all_of_its_jobs_end() -> None:
    running, most = 0, 0

    async def work(one: Taking) -> None:
        async def job(run: Run) -> None:
            nonlocal running, most
            running += run.pointer.client == "a"
            most = max(most, running)
            await asyncio.sleep(1)
            running -= run.pointer.client == "a"
            await one.finish(run)

        one.job = job
        one.send("other", "b")
        await asyncio.sleep(0.5)
        for at in range(8):
            one.send(f"job-{at}")
        await asyncio.sleep(50)
        assert len(one.begun) == 9

    play(work, slots=4)
    assert most == 2


def test_a_few_free_slots_are_used_though_most_stay_taken() -> None:
    async def work(one: Taking) -> None:
        one.job = one.lasting(100)
        for at in range(15):
            one.send(f"job-{at}")
        await asyncio.sleep(1)
        one.send("next")
        await asyncio.sleep(1)
        assert len(one.begun) == 16

    play(work)


@pytest.mark.parametrize("how", ["fail", "refuse"])
def test_messages_that_cannot_be_sent_back_come_later_and_the_worker_goes_on(how: str) -> None:
    async def work(one: Taking) -> None:
        one.job = one.lasting(10)
        one.send("large", bytes=100)
        await asyncio.sleep(1)
        getattr(one, how)("ChangeMessageVisibilityBatch")
        one.send("larger", bytes=100)
        await asyncio.sleep(VISIBILITY_S + 5)
        assert [job for job, _ in one.begun] == ["large", "larger"]

    one = play(work, bytes=100)
    assert one.telemetry.troubles[0].startswith("messages come back late: ")
    assert "None" not in one.telemetry.troubles[0]


@pytest.mark.parametrize("how", ["fail", "refuse"])
def test_a_queue_that_does_not_answer_is_asked_again_and_not_at_every_moment(how: str) -> None:
    async def work(one: Taking) -> None:
        getattr(one, how)("ReceiveMessage")
        one.send("job")
        await asyncio.sleep(30)
        assert 10 < one.calls["sqs:ReceiveMessage"] < 60
        one.around = None
        await asyncio.sleep(5)
        assert [job for job, _ in one.begun] == ["job"]

    one = play(work)
    assert one.telemetry.troubles[0].startswith("nothing could be received: ")


def test_a_worker_that_rests_takes_nothing_until_it_rests_no_more_and_is_well() -> None:
    async def work(one: Taking) -> None:
        assert not one.worker.resting
        one.worker.resting = True
        one.send("job")
        await asyncio.sleep(300)
        assert not one.begun
        assert one.loop.clock() - one.worker.turned < 5
        one.worker.resting = False
        await asyncio.sleep(5)
        assert [job for job, _ in one.begun] == ["job"]

    play(work)


def test_a_job_that_crashes_is_told_of_by_its_id_and_its_slot_is_free_again() -> None:
    error = ValueError("no")

    async def work(one: Taking) -> None:
        async def job(run: Run) -> None:
            await one.finish(run)
            raise error

        one.job = job
        for at in range(3):
            one.send(f"job-{at}")
            await asyncio.sleep(1)

    one = play(work, slots=1)
    assert one.telemetry.crashed_jobs == ["job-0", "job-1", "job-2"]
    assert one.telemetry.crashes == [error] * 3


@pytest.mark.parametrize(
    "error", [AwsUnreachable("the table"), AwsRefused("AccessDenied", "the table", {})]
)
def test_a_job_that_aws_keeps_from_ending_comes_again_and_is_no_crash(error: Exception) -> None:
    async def work(one: Taking) -> None:
        async def job(run: Run) -> None:
            one.job = one.finish
            raise error

        one.job = job
        one.send("job")
        await asyncio.sleep(VISIBILITY_S + 5)
        assert len(one.begun) == 2

    one = play(work)
    assert not one.messages
    assert one.telemetry.troubles == [f"a job has to wait: {error}"]
    assert not one.telemetry.crashes


def test_a_run_knows_for_how_long_its_message_is_held() -> None:
    async def work(one: Taking) -> None:
        async def job(run: Run) -> None:
            now = one.loop.clock()
            assert run.beaten == now
            assert run.held_until == now + VISIBILITY_S
            await one.finish(run)

        one.job = job
        one.send("job")
        await asyncio.sleep(1)

    one = play(work)
    assert len(one.begun) == 1
    assert not one.telemetry.crashes


def test_the_oldest_age_is_of_what_waited_and_of_what_is_in_work() -> None:
    loop = VirtualLoop()
    one = Taking(loop)

    async def go() -> None:
        assert one.worker.oldest_s() == 0
        assert one.worker.turned == loop.clock(), "a new one is well"
        one.send("quick")
        await asyncio.sleep(30)
        running = asyncio.create_task(one.worker.run())
        await asyncio.sleep(1)
        assert one.worker.oldest_s() == pytest.approx(30, abs=0.1), "it is over"
        assert one.worker.oldest_s() == 0, "and was told of"
        one.job = one.lasting(100)
        one.send("slow")
        await asyncio.sleep(60)
        assert one.worker.oldest_s() == pytest.approx(60, abs=0.1)
        assert one.worker.oldest_s() == pytest.approx(60, abs=0.1), "it is still in work"
        one.worker.drain()
        await running
        assert one.worker.oldest_s() == 0

    loop.run(go())
    loop.close()
