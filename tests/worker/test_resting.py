"""What cannot be done now is not claimed for nothing: a model that is paused, a client that must
wait, a key that is missing; and nobody else waits for it."""

import asyncio

import pytest

from claude_core import errors
from claude_core.errors import AwsUnreachable
from claude_core.jobs.job import Status
from claude_core.models import resolve
from tests.faults.world import World
from tests.worker.playing import played

MODEL = resolve("balanced").id


def claims(world: World, ids: list[str]) -> int:
    return sum(world.job(id).fence for id in ids)


async def two(world: World, client: str, error: errors.KitError, *, after_s: float) -> list[str]:
    """A job whose call ends with an error, and so much later another, of which nothing is known."""
    world.claude.scripted = [error]
    world.worker()
    first = await world.submit(client, "first")
    await asyncio.sleep(after_s)
    return [first, await world.submit(client, "second")]


def test_a_client_that_must_wait_a_minute_is_left_alone_meanwhile_and_others_are_not() -> None:
    async def work(world: World) -> None:
        slow, other = world.client(rpm=1), world.client()
        world.worker()
        ids = [await world.submit(slow, f"first-{at}") for at in range(2)]
        await asyncio.sleep(3.0)
        assert sorted(world.job(id).status for id in ids) == [Status.DONE, Status.QUEUED]
        later = [await world.submit(slow, f"later-{at}") for at in range(5)]
        others = [await world.submit(other, f"other-{at}") for at in range(5)]
        await asyncio.sleep(10.0)
        assert claims(world, later) == 0, "each would be refused for the same reason"
        assert {world.job(id).status for id in others} == {Status.DONE}
        assert not await world.until_over([*ids, *later, *others], hours=24)

    played(work)


def test_the_jobs_of_a_paused_model_wait_unclaimed_and_go_on_after_it() -> None:
    async def work(world: World) -> None:
        world.worker()
        world.built[0].worker._governor.line(MODEL).pause(world.now() + 100)
        ids = [await world.submit(world.client(), f"job-{at}") for at in range(5)]
        await asyncio.sleep(95.0)
        assert claims(world, ids) == world.claude.calls == 0
        await asyncio.sleep(60.0)
        assert not world.open_jobs(ids)

    played(work)


REFUSED = [
    errors.RateLimited("slow down", retry_after_s=60.0),
    errors.KeyMissing("no key yet"),
    errors.KeyRejected("not this key"),
    errors.SpendCapReached("the organisation's cap"),
]


@pytest.mark.parametrize("error", REFUSED, ids=lambda error: type(error).__name__)
def test_what_every_job_of_a_model_would_end_with_is_found_out_by_one(
    error: errors.KitError,
) -> None:
    async def work(world: World) -> None:
        ids = await two(world, world.client(), error, after_s=5.0)
        await asyncio.sleep(45.0)
        assert claims(world, ids) == world.claude.calls == 1
        assert not await world.until_over(ids, hours=1)
        assert [world.job(id).attempts for id in ids] == [1, 1]

    world = played(work)
    assert world.spent == 2 * world.each, "what was refused is not charged"


OF_ONE = [errors.UpstreamBroken("500"), errors.AnswerLost("reset"), errors.ConnectFailed("refused")]


@pytest.mark.parametrize("error", OF_ONE, ids=lambda error: type(error).__name__)
def test_what_happens_to_one_job_keeps_no_other_waiting(error: errors.KitError) -> None:
    async def work(world: World) -> None:
        first, second = await two(world, world.client(), error, after_s=0.5)
        await asyncio.sleep(4.0)
        assert world.job(second).status is Status.DONE
        assert not await world.until_over([first], hours=1)
        lost = isinstance(error, errors.AnswerLost)
        job = world.job(first)
        assert (job.attempts, job.failures or 0) == ((2, 0) if lost else (1, 1))

    played(work)


def test_a_pause_is_told_to_the_other_workers() -> None:
    async def work(world: World) -> None:
        refused = errors.RateLimited("slow down", retry_after_s=60.0)
        ids = await two(world, world.client(), refused, after_s=1.0)
        until = float(world.jobs_table.items[f"pause#{MODEL}"]["until"]["N"])
        assert until == pytest.approx(world.now() + 60, abs=2)
        assert not await world.until_over(ids, hours=1)

    played(work)


def test_a_pause_that_cannot_be_told_holds_for_this_worker_and_is_complained_of() -> None:
    async def work(world: World) -> None:
        def deaf(action: str, payload: dict[str, object]) -> None:
            if "pause#" in str(payload.get("Key")):
                raise AwsUnreachable("throttled")

        world.aws.before = deaf
        refused = errors.RateLimited("slow down", retry_after_s=60.0)
        ids = await two(world, world.client(), refused, after_s=1.0)
        await asyncio.sleep(50.0)
        assert world.claude.calls == 1
        assert not await world.until_over(ids, hours=1)

    assert "a pause could not be shared: throttled" in played(work).telemetry.troubles


def test_a_message_is_hidden_for_as_long_as_its_line_is_paused() -> None:
    async def work(world: World) -> None:
        world.worker()
        line = world.built[0].worker._governor.line(MODEL)
        pause_s = [line.refused(None) for _ in range(60)][-1]
        await asyncio.sleep(pause_s + 5)
        world.claude.scripted = [errors.Overloaded("full")]
        id = await world.submit(world.client(), "a")
        (message,) = world.sqs.queues[world.settings.now_queue].messages.values()
        await asyncio.sleep(pause_s - 5)
        assert (world.claude.calls, message.receives) == (1, 1)
        assert not await world.until_over([id], hours=1)

    played(work)
