"""The real worker on strict doubles and a virtual clock: one rule of the queue at a time."""

import asyncio
import json
from typing import Any

import pytest

from claude_core.errors import AwsUnreachable, Overloaded
from claude_core.jobs.claims import SKEW_S
from claude_core.jobs.job import Job, Status
from tests.faults.claude import Faults
from tests.faults.world import World
from tests.worker.playing import played, the_job
from worker_src.fates import OLDEST_S
from worker_src.health import STUCK_S


def test_a_job_is_done_told_deleted_and_charged() -> None:
    async def work(world: World) -> None:
        id = await world.submit(world.client(), "a")
        world.worker()
        assert not await world.until_over([id], hours=1)

    world = played(work)
    job = the_job(world)
    assert job.status is Status.DONE
    assert (job.attempts, job.crashes, job.fence) == (1, 0, 1)
    assert job.listed.startswith("done#")
    assert job.lease is None
    told = [json.loads(event["Detail"]) for event in world.aws.events]
    assert [(one["job_id"], one["status"], one["doc_id"]) for one in told] == [
        (job.id, "done", "a")
    ]
    assert "<" not in json.dumps(told), "an event says where the result is, not what it says"
    assert world.messages == 0


def test_one_of_two_messages_of_a_job_finds_its_lease_and_steps_back() -> None:
    async def work(world: World) -> None:
        client = world.client()
        id = await world.submit(client, "a")
        message = next(iter(world.sqs.queues[world.settings.now_queue].messages.values()))
        world.sqs.queues[world.settings.now_queue].send(message.body, client, {}, 0)
        world.worker()
        world.worker()
        assert not await world.until_over([id], hours=1)

    world = played(work, longest_s=60.0)
    assert world.claude.calls == 1
    assert the_job(world).attempts == 1


def test_a_job_that_outlives_its_visibility_is_held_by_the_heartbeat() -> None:
    async def work(world: World) -> None:
        id = await world.submit(world.client(), "a")
        world.claude.takes = lambda: 700.0
        world.worker()
        world.worker()
        assert not await world.until_over([id], hours=1)

    world = played(work)
    assert world.claude.calls == 1
    assert the_job(world).attempts == 1


def test_a_job_past_its_deadline_fails_with_words_and_is_charged() -> None:
    async def work(world: World) -> None:
        id = await world.submit(world.client(), "a")
        world.claude.takes = lambda: 2_000.0
        world.worker()
        assert not await world.until_over([id], hours=1)

    world = played(work)
    job = the_job(world)
    assert job.status is Status.FAILED
    assert job.error == {
        "type": "timeout_error",
        "message": "Claude took longer than a job has; ask for less, or mark it long",
    }
    assert world.spent > 0


def test_a_lease_that_nobody_holds_any_more_is_taken_over_and_counted_as_a_crash() -> None:
    async def work(world: World) -> None:
        id = await world.submit(world.client(), "a")
        first = world.worker()
        await asyncio.sleep(0.8)
        first.kill()
        died = world.loop.time()
        world.worker()
        assert not await world.until_over([id], hours=1)
        world.full = world.loop.time() - died

    world = played(work, longest_s=30.0)
    job = the_job(world)
    assert (job.status, job.attempts, job.crashes) == (Status.DONE, 2, 1)
    assert world.full < 120 + SKEW_S + 60


def test_a_message_that_is_none_of_ours_is_among_the_dead_letters() -> None:
    async def work(world: World) -> None:
        world.sqs.queues[world.settings.now_queue].send("hello", "x", {}, 0)
        world.worker()
        assert not await world.until_over([], hours=1)

    assert played(work).letters == 1


def test_a_job_that_is_not_in_the_table_is_among_the_dead_letters() -> None:
    async def work(world: World) -> None:
        id = await world.submit(world.client(), "a")
        del world.jobs_table.items[id]
        world.worker()
        assert not await world.until_over([], hours=1)

    world = played(work)
    assert world.letters == 1
    assert world.claude.calls == 0


def test_a_drain_returns_what_has_not_begun_and_ends_what_has() -> None:
    async def work(world: World) -> None:
        client = world.client()
        ids = [await world.submit(client, f"job-{at}") for at in range(30)]
        process = world.worker()
        await asyncio.sleep(1.0)
        began = world.loop.time()
        world.built[0].worker.drain()
        await process.ended()
        assert world.loop.time() - began < 110
        jobs = [world.job(id) for id in ids]
        assert {job.status for job in jobs} <= {Status.DONE, Status.QUEUED}
        assert all(job.attempts == (job.status is Status.DONE) for job in jobs)
        _, flying, _ = world.sqs.queues[world.settings.now_queue].counts()
        assert flying == 0, "what was returned can be taken at once"

    world = played(work, slots=10)
    assert not world.telemetry.crashes


def test_a_drain_ends_in_time_though_claude_does_not() -> None:
    async def work(world: World) -> None:
        client = world.client()
        ids = [await world.submit(client, f"job-{at}") for at in range(5)]
        world.claude.takes = lambda: 800.0
        process = world.worker()
        await asyncio.sleep(5.0)
        began = world.loop.time()
        world.built[0].worker.drain()
        await process.ended()
        assert 90 < world.loop.time() - began < 110
        for id in ids:
            job = world.job(id)
            assert (job.status, job.attempts) == (Status.QUEUED, 1), "Claude may have been paid"
        _, flying, _ = world.sqs.queues[world.settings.now_queue].counts()
        assert flying == 0

    world = played(work)
    assert world.spent > 0, "what was cut off is charged"


def test_a_table_that_takes_no_result_for_minutes_is_waited_for_and_nothing_is_paid_twice() -> None:
    async def work(world: World) -> None:
        client = world.client()
        ids = [await world.submit(client, f"job-{at}") for at in range(5)]
        deaf_until = world.loop.time() + 300

        def deaf(action: str, payload: dict[str, Any]) -> None:
            ends = ":status" in payload.get("ExpressionAttributeValues", {})
            if ends and world.loop.time() < deaf_until:
                raise AwsUnreachable("throttled")

        world.aws.before = deaf
        world.worker()
        assert not await world.until_over(ids, hours=1)

    world = played(work)
    assert world.claude.billed.total() == 5


def test_throttling_hands_the_attempt_back_and_a_healthy_job_is_never_dead() -> None:
    async def work(world: World) -> None:
        id = await world.submit(world.client(), "a")
        world.claude.scripted = [Overloaded("529")] * 30
        world.worker()
        assert not await world.until_over([id], hours=48)

    world = played(work)
    job = the_job(world)
    assert (job.status, job.attempts) == (Status.DONE, 1)
    assert world.claude.calls == 31


def test_a_model_that_is_paused_keeps_no_job_of_another_from_being_found() -> None:
    async def work(world: World) -> None:
        world.worker()
        paused = world.built[0].worker._governor.line("another-model")
        paused.pause(world.now() + 3_600)
        id = await world.submit(world.client(), "a")
        began = world.loop.time()
        assert not await world.until_over([id], hours=1)
        world.full = world.loop.time() - began

    assert played(work).full < 60


def test_a_worker_that_waits_for_long_is_well_all_the_while() -> None:
    async def work(world: World) -> None:
        world.worker()
        world.built[0].worker._governor.line("a-model").pause(world.now() + 3_600)
        await asyncio.sleep(1_000)
        assert world.now() - world.built[0].worker.turned < STUCK_S

    played(work)


def test_a_job_that_has_waited_for_a_week_fails_and_says_so() -> None:
    async def work(world: World) -> None:
        id = await world.submit(world.client(), "a")
        await asyncio.sleep(OLDEST_S + 60)
        world.worker()
        assert not await world.until_over([id], hours=1)

    world = played(work)
    assert the_job(world).error == {
        "type": "timeout_error",
        "message": "it has waited for a week, and was not begun",
    }
    assert world.claude.calls == 0


def test_a_client_without_money_is_told_so_by_its_jobs() -> None:
    async def work(world: World) -> None:
        id = await world.submit(world.client(budget=1_000), "a")
        world.worker()
        assert not await world.until_over([id], hours=1)

    world = played(work)
    job = the_job(world)
    assert job.status is Status.FAILED
    assert job.error is not None
    assert job.error["type"] == "rate_limit_error"
    assert "monthly budget" in job.error["message"]
    assert world.claude.calls == 0


def test_requests_a_minute_hold_jobs_back_and_lose_none() -> None:
    async def work(world: World) -> None:
        client = world.client(rpm=20)
        ids = [await world.submit(client, f"job-{at}") for at in range(60)]
        world.worker()
        assert not await world.until_over(ids, hours=24)

    world = played(work)
    assert world.claude.billed.total() == 60
    claims = sum(Job(item).fence for item in world.jobs_table.items.values() if "client" in item)
    assert claims < 150, "a client that rests is not claimed for again and again"


def test_a_large_result_goes_to_the_bucket() -> None:
    async def work(world: World) -> None:
        id = await world.submit(world.client(), "x" * 250_000, doc_id="large")
        world.worker()
        assert not await world.until_over([id], hours=1)

    world = played(work)
    job = the_job(world)
    assert job.status is Status.DONE
    assert job.result is None
    kept = json.loads(world.aws.objects["files", job.result_at])
    assert len(kept["content"][0]["text"]) > 250_000
    assert job.result_at == f"results/{job.client}/{job.id}.json"
    assert job.body_at.startswith(f"bodies/{job.client}/{job.id}")


@pytest.mark.parametrize("share", [0.2, 0.5])
def test_a_lost_answer_is_asked_for_again_and_both_are_charged(share: float) -> None:
    async def work(world: World) -> None:
        client = world.client()
        ids = [await world.submit(client, f"job-{at}") for at in range(20)]
        world.worker()
        await world.until_over(ids, hours=24)

    world = played(work, faults=Faults(reset=share))
    assert world.claude.billed.total() > 20
    assert world.spent >= world.claude.billed.total() * world.each
