"""What must hold when a batch scenario is over."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping

from claude_core.jobs.job import Status
from tests.faults.batch_world import BatchWorld

NOW = "now"
"""Instead of a status: the job has gone on to the workers."""


def check(world: BatchWorld, expected: Mapping[str, str]) -> None:
    """Hold a world against the promises; `expected` says how each job must have ended."""
    assert not world.telemetry.crashes, world.telemetry.crashes
    assert not world.cloud.mistakes, world.cloud.mistakes[:3]
    dead = world.cloud.sqs.queues[world.settings.batch_dlq].messages
    assert not dead, [one.body for one in dead.values()][:3]
    for id, wanted in expected.items():
        job = world.job(id)
        found = NOW if job.lane == "now" and job.status is Status.QUEUED else job.status.value
        assert found == wanted, f"{id} is {found}, not {wanted}: {job.error}"
        assert job.waiting is None, f"{id} is listed still: {job.waiting}"
        if wanted == Status.DONE:
            text = json.loads(job.result)["content"][0]["text"] if job.result else job.result_at
            assert id in text
    _check_paid(world, expected)
    _check_money(world)
    _check_told(world, expected)
    for item in world.jobs_table.items.values():
        if item["id"]["S"].startswith("intent#"):
            assert item["stage"]["S"] in ("ended", "void"), item


def _check_paid(world: BatchWorld, expected: Mapping[str, str]) -> None:
    """Each was in as many batches as its fates say, and was paid for once at most."""
    claude = world.claude
    for id, wanted in expected.items():
        assert claude.billed[id] == (wanted == Status.DONE), f"{id} was paid {claude.billed[id]}x"
        fates = claude.fates[id]
        most = len(fates) if "expired" in fates else 1
        assert claude.given[id] <= most, f"{id} was in {claude.given[id]} batches"


def _check_money(world: BatchWorld) -> None:
    """Nothing is open, and what is charged is what Claude has billed."""
    month = f"{world.utc():%Y_%m}"
    for client in world.clients.items:
        row = world.row(client)
        assert not row.open, f"{client}: {row.open}"
        assert row.spent(month) == world.claude.cost[client]
        assert row.left(month) + row.spent(month) == row.budget


def _check_told(world: BatchWorld, expected: Mapping[str, str]) -> None:
    told: defaultdict[str, set[str]] = defaultdict(set)
    for event in world.cloud.events.taken:
        told[event.detail["job_id"]].add(event.detail["status"])
    pointed = Counter(
        json.loads(message.body)["job"]
        for name in ("now", "long")
        for message in world.cloud.sqs.queues[f"{HOST}{name}"].messages.values()
    )
    for id, wanted in expected.items():
        if wanted == NOW:
            assert pointed[id], f"{id} went on, and no worker is told"
            assert id not in told
        elif wanted != Status.CANCELLED or id in told:
            assert told[id] == {wanted}, f"{id} is {wanted}, and was told {told[id]}"


HOST = "https://sqs.us-east-1.amazonaws.com/123456789012/"
