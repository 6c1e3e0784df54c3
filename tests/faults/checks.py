"""What must hold when a scenario is over."""

import json
from collections import Counter

from claude_core.jobs.job import Status
from claude_core.row import Row
from tests.faults.claude import POISON
from tests.faults.world import World


def check(world: World, asked: dict[str, str], open_jobs: list[str]) -> None:
    """Hold a world against the promises; `asked` has what each job asked, by id."""
    assert not world.telemetry.crashes, world.telemetry.crashes
    assert not open_jobs, f"lost or stuck: {open_jobs[:5]}"
    jobs = {id: world.job(id) for id in asked}
    for id, job in jobs.items():
        if POISON in asked[id]:
            assert job.status is Status.DEAD, f"poison ended as {job.status}"
        else:
            assert job.status is Status.DONE, f"{id} ended as {job.status}: {job.error}"
            assert json.loads(job.result)["content"][0]["text"].endswith(f"{asked[id]}>")
            assert world.stored[id] == 1, f"{id} was stored {world.stored[id]} times"
    dead = [job for job in jobs.values() if job.status is Status.DEAD]
    assert world.letters >= len(dead), f"{len(dead)} are dead, {world.letters} letters"
    told = Counter(json.loads(event["Detail"])["job_id"] for event in world.aws.events)
    assert not asked.keys() - told.keys(), "a finished job was not told"
    _check_paid(world)
    _check_budgets(world)


def _check_paid(world: World) -> None:
    """Paid once; more only where who asked was killed, or the answer was lost on its way."""
    excused = Counter(world.claude.excused)
    for process in world.processes:
        if process.dead:
            excused.update(process.in_hand)
    for asked, times in world.claude.billed.items():
        allowed = 1 + excused[asked]
        assert times <= allowed, f"{asked} was paid {times} times, {allowed} are excused"


def _check_budgets(world: World) -> None:
    """No money is lost or made; what Claude has billed is charged, or still reserved."""
    charged = 0
    for item in world.clients.items.values():
        row = Row(item)
        month = f"{world.utc():%Y_%m}"
        spent, reserved = row.spent(month), sum(row.open.values())
        assert row.left(month) + spent + reserved == row.budget, "money was lost or made"
        charged += spent + reserved
        killed = any(process.dead for process in world.processes)
        assert killed or not row.open, f"left open: {row.open}"
    billed = world.claude.billed.total() * world.each
    assert charged >= billed, f"Claude has billed {billed}, and {charged} is charged"
