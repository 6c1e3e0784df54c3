"""What a job costs its client, and what is written down of it."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from claude_core.errors import AwsUnreachable, InvalidRequest
from claude_core.jobs.job import Status
from claude_core.messages import Request
from claude_core.models import resolve
from claude_core.reply import Reply
from claude_core.row import Row
from tests.faults.claude import INPUT, OUTPUT, SimClaude
from tests.faults.world import World
from tests.worker.playing import Told, played, the_job

FREE_REFUSALS = "claude-fable-5-1"
ASKED = {"max_tokens": 100, "messages": [{"role": "user", "content": "Hi"}]}


async def asking(world: World, client: str, **request: Any) -> str:
    """A job with a request of the Messages API."""
    id = await world.submit(client, "a")
    body = {"request": {"model": "balanced", **ASKED, **request}}
    world.jobs_table.change(id, body={"S": json.dumps(body)})
    return id


class Refusing(SimClaude):
    """Refuses before it has written anything."""

    async def ask(self, request: Request, *, deadline: float) -> Reply:
        reply = await super().ask(request, deadline=deadline)
        usage = {"input_tokens": INPUT, "output_tokens": 0}
        message = reply.message | {"stop_reason": "refusal", "content": [], "usage": usage}
        return replace(reply, message=message, body=json.dumps(message).encode())


def lines(capfd: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What was written down of calls."""
    return [json.loads(line) for line in capfd.readouterr().out.splitlines() if "_aws" in line]


def test_a_job_is_kept_with_what_it_used_and_its_client_is_charged_just_that() -> None:
    async def work(world: World) -> None:
        id = await asking(world, world.client())
        world.worker()
        assert not await world.until_over([id], hours=1)

    world = played(work)
    job = the_job(world)
    assert json.loads(job.usage) == {"input_tokens": INPUT, "output_tokens": OUTPUT}
    assert job.cost == world.spent == world.each
    assert "<Hi>" in job.result
    row = Row(world.clients.items[job.client])
    used = {name.rpartition(".")[2]: row.number(name) for name in row.item if "use." in name}
    assert used == {"cost": world.each, "calls": 1, "input": INPUT, "output": OUTPUT}
    assert world.telemetry.troubles == []


def test_a_refusal_that_claude_does_not_bill_costs_nothing() -> None:
    async def work(world: World) -> None:
        world.claude = Refusing(world.rand, world.shape.faults, longest_s=2.0)
        client = world.client()
        world.clients.change(client, models={"SS": [FREE_REFUSALS]})
        id = await asking(world, client, model=FREE_REFUSALS)
        world.worker()
        assert not await world.until_over([id], hours=1)

    world = played(work)
    job = the_job(world)
    assert (job.status, job.stop_reason, job.cost) == (Status.DONE, "refusal", 0)
    assert world.spent == 0


def test_what_a_client_may_not_use_any_more_is_not_asked_for() -> None:
    async def work(world: World) -> None:
        search = {"type": "web_search_20250305", "name": "web_search", "max_uses": 1}
        id = await asking(world, world.client(), tools=[search])
        world.worker()
        assert not await world.until_over([id], hours=1)

    world = played(work)
    error = the_job(world).error
    assert error is not None
    assert "allow it with: kit clients allow" in error["message"]
    assert (world.claude.calls, world.spent) == (0, 0)


def test_a_settlement_that_has_to_wait_is_complained_of_and_made() -> None:
    async def work(world: World) -> None:
        id = await asking(world, world.client())
        world.claude.takes = lambda: 5.0
        world.worker()
        await asyncio.sleep(3.0)
        deaf_until = world.loop.time() + 60

        def deaf(action: str, payload: dict[str, Any]) -> None:
            if payload.get("TableName") == "clients" and world.loop.time() < deaf_until:
                raise AwsUnreachable("throttled")

        world.aws.before = deaf
        await asyncio.sleep(30.0)
        assert world.job(id).status is Status.DONE
        assert not await world.until_over([id], hours=1)

    world = played(work)
    assert world.telemetry.troubles.count("a settlement has to wait") == 1
    assert (world.spent, world.claude.calls) == (world.each, 1)


def test_a_worker_that_stood_still_until_its_lease_was_over_does_not_ask() -> None:
    """As a virtual machine does that is moved: somebody else may have the job by then."""

    async def work(world: World) -> None:
        frozen = list[float]()

        def freeze(action: str, payload: dict[str, Any]) -> None:
            if payload.get("TableName") == "clients" and not frozen:
                frozen.append(world.loop.time())
                assert the_job(world).status is Status.RUNNING
                world.loop.stand_still(500.0)
            elif payload.get("UpdateExpression", "").startswith("SET lease") and frozen:
                raise AwsUnreachable("the heart, which wakes up, too, cannot hold it any more")

        world.aws.before = freeze
        world.claude.takes = lambda: 0.1
        id = await asking(world, world.client())
        world.worker()
        await asyncio.sleep(500.5)
        assert world.claude.calls == 0
        await asyncio.sleep(4.5)
        assert world.job(id).status is Status.DONE, "and its own next try does, soon"
        assert not await world.until_over([id], hours=1)

    world = played(work)
    assert the_job(world).attempts == 1
    assert (world.spent, world.claude.calls) == (world.each, 1)


def test_an_answer_is_written_down_with_its_job_its_client_its_cost_and_its_time(
    capfd: pytest.CaptureFixture[str],
) -> None:
    async def work(world: World) -> None:
        world.telemetry = Told()
        world.claude.takes = lambda: 800.0
        id = await asking(world, world.client())
        world.worker()
        assert not await world.until_over([id], hours=1)

    world = played(work)
    (line,) = lines(capfd)
    job = the_job(world)
    assert (line["request_id"], line["client"]) == (job.id, job.client)
    assert line["gen_ai.request.model"] == resolve("balanced").id
    assert line["gen_ai.usage.output_tokens"] == [OUTPUT]
    assert line["cost_usd"] == [world.each / 1e9]
    assert 800_000 < line["duration"][0] < 800_700, "milliseconds since its message was sent"


def test_a_failure_is_written_down_with_its_job_and_its_kind(
    capfd: pytest.CaptureFixture[str],
) -> None:
    async def work(world: World) -> None:
        world.telemetry = Told()
        world.claude.scripted = [InvalidRequest("no")]
        id = await asking(world, world.client())
        await asyncio.sleep(800.0)
        world.worker()
        assert not await world.until_over([id], hours=1)

    world = played(work)
    (line,) = lines(capfd)
    assert (line["request_id"], line["error.type"]) == (the_job(world).id, "InvalidRequest")
    assert 800_000 < line["duration"][0] < 800_700


def test_a_crash_is_written_down_with_its_job_and_without_its_words(
    capfd: pytest.CaptureFixture[str],
) -> None:
    async def work(world: World) -> None:
        world.telemetry = Told()
        id = await asking(world, world.client())
        world.jobs_table.change(id, body={"S": "a secret, and no JSON"})
        world.worker()
        assert not await world.until_over([id], hours=1)

    world = played(work, crashes=True)
    found = capfd.readouterr().out
    assert "secret" not in found
    (line, *_) = [json.loads(line) for line in found.splitlines() if "_aws" in line]
    assert (line["request_id"], line["error.type"]) == (the_job(world).id, "JSONDecodeError")
