"""The batch lane at each stage of a batch: rows, money, messages, and what is at Claude."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from claude_core.errors import Overloaded
from claude_core.jobs.job import Job
from claude_core.row import Item
from lambda_src import batch_results
from lambda_src.batch_intents import Intent, Stage
from local.fake_claude.inprocess import Fake
from tests.cloud.cloud import Do
from tests.cloud.refusing import Payload
from tests.cloud.virtual import VirtualLoop
from tests.contracts.recording import Json, Moment, Recording, in_order
from tests.doubles import AwsDouble
from tests.faults.batch_claude import Made
from tests.faults.batch_source import Source
from tests.faults.batch_world import BatchWorld, Shape
from tests.queueing import TABLE

START = 1_795_000_000.0
"""In seconds since the epoch: 2026-11-18."""
SHAPE = Shape(blips=0, cuts=0, lag_s=0.0, unlisted_s=0.0)
LATER_S = 600.0
"""After a moment, when another version goes on: leases are over then."""
RUNS_OUT_S = 260.0
"""Of a call of the function, so that it ends in an orderly way before all is told."""
FATES = ("succeeded", "succeeded", "invalid", "overloaded", "canceled")
BUDGET, OPEN = 50_000_000, "6b000000-aaaaaaaa"
"""Of the client without money: all of it is with a call that is open."""


def write(_: AwsDouble, __: Fake) -> Recording:
    """A batch that Claude refuses, one of jobs of every fate whose end is told in two calls, and
    one of what expired; recorded whenever a batch comes to another stage."""
    recording = Recording()

    async def doing(world: BatchWorld) -> None:
        client, poor = world.client(), world.client(budget=BUDGET)
        money = {"left_2026_11": {"N": "0"}, "open": {"M": {OPEN: {"N": str(BUDGET)}}}}
        world.clients.change(poor, **money)
        for fate in FATES:
            await world.submit(client, [fate])
        await world.submit(client, ["expired", "expired"])
        await world.submit(poor)
        world.claude.refusals = [Overloaded("overloaded", retry_after_s=60.0)]
        recording.names |= {client: "{client}", poor: "{client}", OPEN: "{reservation}"}
        recording.known["poor"] = poor
        _record(world, recording, "waiting")
        _watch(world, recording)
        await Source(world).run()
        for moment in recording.moments.values():
            moment.beside["Claude"] = [
                _shown(world.claude.made[id]) for id in moment.beside["Claude"]
            ]
        for item in world.jobs_table.items.values():
            if item["id"]["S"].startswith("intent#"):
                recording.names[item["id"]["S"].partition("#")[2]] = "{intent}"
        recording.names |= dict.fromkeys(world.claude.made, "{batch}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch_results, "TOGETHER", 1)
        _play(doing, SHAPE)
    return recording


def _record(world: BatchWorld, recording: Recording, name: str) -> None:
    queue = world.cloud.sqs.queues[world.settings.batch_queue]
    recording.known[name] = str(world.now())
    recording.moments[name] = Moment(
        {TABLE: in_order(world.jobs_table.items.values())},
        queues={"batch": sorted(one.body for one in queue.messages.values())},
        beside={
            "clients": in_order(world.clients.items.values()),
            "Claude": [*world.claude.made],
        },
    )


def _shown(made: Made) -> Json:
    """A batch at Claude, with what its results will be."""
    lines = sorted(line.decode() for line in made.lines)
    return {"id": made.id, "created": made.created, "results": lines}


def _watch(world: BatchWorld, recording: Recording) -> None:
    """Record each stage that a batch comes to, before and after each call to AWS."""
    around = world.points.around

    def look() -> None:
        stage = _stage(world)
        if stage and stage not in recording.moments:
            _record(world, recording, stage)
            if stage == CREATED:
                whole = {"left_2026_11": {"N": str(BUDGET)}, "open": {"M": {}}}
                world.clients.change(recording.known["poor"], **whole)

    async def watching(service: str, action: str, payload: Payload, do: Do) -> Any:
        look()
        answer = await around(service, action, payload, do)
        if service == "events" and TOLD not in recording.moments:
            world.loop.stand_still(RUNS_OUT_S)
        look()
        return answer

    world.cloud.around = watching


CREATED, TOLD = "created", "created, and told of one"


def _stage(world: BatchWorld) -> str:
    """What the batch that was begun last is at; empty: there is none."""
    found = [Intent.of(item) for item in world.jobs_table.items.values() if _is_intent(item)]
    if not found:
        return ""
    intent = found[-1]
    made = any(not _of_stranger(one) for one in world.claude.made.values())
    match intent.stage:
        case Stage.SENDING if made and len(found) == 2:
            return "sending, and made at Claude"
        case Stage.CREATED if intent.told:
            return TOLD
    return intent.stage.value


def _is_intent(item: Item) -> bool:
    return str(item["id"]["S"]).startswith("intent#")


def _of_stranger(made: Made) -> bool:
    return str(made.requests[0]["custom_id"]).startswith("stranger_")


def _play(
    doing: Callable[[BatchWorld], Coroutine[Any, Any, None]], shape: Shape, start: float = START
) -> BatchWorld:
    loop = VirtualLoop(start)
    asyncio.set_event_loop(loop)
    world = BatchWorld(shape, loop)
    try:
        loop.run(doing(world))
    finally:
        asyncio.set_event_loop(None)
        loop.close()
    assert not world.cloud.mistakes
    assert not world.telemetry.crashes
    return world


def read(recording: Recording, _: AwsDouble) -> Json:
    """What becomes of jobs and money when today's function goes on from each moment."""
    return {name: _gone_on(recording, name) for name in recording.moments}


def _gone_on(recording: Recording, name: str) -> Json:
    moment, poor = recording.moments[name], recording.known["poor"]

    async def doing(world: BatchWorld) -> None:
        world.jobs_table.add(*moment.tables[TABLE])
        world.clients.add(*moment.beside["clients"])
        world.clients.change(poor, left_2026_11={"N": str(BUDGET)}, open={"M": {}})
        for one in moment.beside["Claude"]:
            lines = [line.encode() for line in one["results"]]
            requests = [{"custom_id": json.loads(line)["custom_id"]} for line in lines]
            made = Made(one["id"], one["created"], 0.0, requests, blips=0, cuts=0, lines=lines)
            world.claude.made[made.id] = made
        queue = world.cloud.sqs.queues[world.settings.batch_queue]
        for text in moment.queues["batch"]:
            queue.send(text, "group", {}, 0)
        await Source(world).run()

    world = _play(doing, SHAPE, float(recording.known[name]) + LATER_S)
    items = world.jobs_table.items.values()
    jobs = [Job(item) for item in items if item["id"]["S"].startswith("job_")]
    month = "2026_11"
    return {
        "jobs": {job.id: f"{job.status} in lane {job.lane}" for job in jobs},
        "every batch is over": all(
            Intent.of(item).stage in (Stage.ENDED, Stage.VOID) for item in items if _is_intent(item)
        ),
        "open": {id: world.row(id).open for id in world.clients.items},
        "charged": {id: world.row(id).spent(month) > 0 for id in world.clients.items},
    }
