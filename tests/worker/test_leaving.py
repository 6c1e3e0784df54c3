"""How a job leaves its worker: told and counted once, dead with words, or back for another try."""

import asyncio
import json
from typing import Any

import pytest

from claude_core import errors
from claude_core.errors import AwsUnreachable
from claude_core.jobs.claims import ATTEMPTS
from claude_core.jobs.job import Status
from tests.faults.world import World
from tests.worker.playing import before_calls, played, the_job


def told(world: World) -> list[tuple[str, str]]:
    events = [json.loads(event["Detail"]) for event in world.aws.events]
    return [(one["job_id"], one["status"]) for one in events]


def test_a_job_whose_five_attempts_are_used_up_is_dead_and_its_owner_is_told_why() -> None:
    async def work(world: World) -> None:
        id = await world.submit(world.client(), "a")
        numbers = {"attempts": ATTEMPTS, "crashes": 2, "fence": ATTEMPTS, "lease": 1}
        row = {name: {"N": str(number)} for name, number in numbers.items()}
        world.jobs_table.change(id, status={"S": "running"}, holder={"S": "a-dead-one"}, **row)
        world.worker()
        assert not await world.until_over([id], hours=1)

    world = played(work)
    job = the_job(world)
    assert (job.status, job.attempts) == (Status.DEAD, ATTEMPTS)
    said = "5 attempts ended without an answer, 2 of them with the worker"
    assert job.error == {"type": "api_error", "message": said}
    assert told(world) == [(job.id, "dead")]
    assert (world.letters, world.claude.calls) == (1, 0)
    assert world.telemetry.counts["jobs_dead"] == 1


def test_a_job_that_the_worker_itself_cannot_bear_is_tried_five_times_and_then_dead() -> None:
    async def work(world: World) -> None:
        id = await world.submit(world.client(), "a")
        world.jobs_table.change(id, body={"S": "{ no JSON"})
        world.worker()
        assert not await world.until_over([id], hours=1)

    world = played(work, crashes=True)
    job = the_job(world)
    said = "5 attempts failed; the last one: the job could not be worked on"
    assert (job.status, job.error) == (Status.DEAD, {"type": "api_error", "message": said})
    assert [type(error).__name__ for error in world.telemetry.crashes] == ["JSONDecodeError"] * 5
    assert (world.letters, world.spent) == (1, 0)
    assert told(world) == [(job.id, "dead")]


def test_each_end_is_counted_once_and_each_call() -> None:
    async def work(world: World) -> None:
        client = world.client()
        ids = [await world.submit(client, f"job-{at}") for at in range(3)]
        refused = errors.UpstreamRefused("too long", status=400, type="invalid_request_error")
        world.claude.scripted = [refused, errors.Overloaded("full")]
        world.worker()
        assert not await world.until_over(ids, hours=1)

    counts = played(work).telemetry.counts
    names = ("jobs_done", "jobs_failed", "jobs_dead", "calls_started", "calls_throttled")
    assert [counts[name] for name in names] == [2, 1, 0, 4, 1]


def test_an_answer_that_the_table_never_took_was_an_attempt_since_it_was_paid() -> None:
    async def work(world: World) -> None:
        id = await world.submit(world.client(), "a")
        deaf_until = world.loop.time() + 700

        def deaf(action: str, payload: dict[str, Any]) -> None:
            ends = ":status" in payload.get("ExpressionAttributeValues", {})
            if ends and world.loop.time() < deaf_until:
                raise AwsUnreachable("throttled")

        world.aws.before = deaf
        world.worker()
        assert not await world.until_over([id], hours=2)

    world = played(work)
    assert (the_job(world).attempts, world.claude.calls) == (2, 2)
    assert world.spent == 2 * world.each


@pytest.mark.parametrize("ends", ["done", "failed"])
def test_a_drain_that_cuts_off_a_run_whose_job_is_over_gives_its_message_back(
    ends: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(world: World) -> None:
        async def never_told(service: str, action: str, payload: dict[str, Any]) -> None:
            if action == "PutEvents" and not world.full:
                await asyncio.Event().wait()

        before_calls(world, monkeypatch, never_told)
        id = await world.submit(world.client(budget=1_000 if ends == "failed" else 10**13), "a")
        first = world.worker()
        await asyncio.sleep(5.0)
        assert world.job(id).status is Status(ends)
        world.built[0].worker.drain()
        await first.ended()
        visible, flying, _ = world.sqs.queues[world.settings.now_queue].counts()
        assert (visible, flying) == (1, 0), "another worker takes it at once"
        world.full = 1
        world.worker()
        assert not await world.until_over([id], hours=1)
        assert told(world) == [(id, ends)]

    assert played(work).claude.calls == (ends == "done")


def test_a_drain_that_cuts_off_a_run_on_its_way_back_gives_its_message_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def work(world: World) -> None:
        async def never_hidden(service: str, action: str, payload: dict[str, Any]) -> None:
            if action == "ChangeMessageVisibilityBatch" and not world.full:
                world.full = 1
                await asyncio.Event().wait()

        before_calls(world, monkeypatch, never_hidden)
        world.claude.scripted = [errors.UpstreamBroken("500")]
        id = await world.submit(world.client(), "a")
        first = world.worker()
        await asyncio.sleep(5.0)
        assert (world.job(id).status, world.full) == (Status.QUEUED, 1)
        world.built[0].worker.drain()
        await first.ended()
        visible, flying, _ = world.sqs.queues[world.settings.now_queue].counts()
        assert (visible, flying) == (1, 0), "another worker takes it at once"

    played(work)
