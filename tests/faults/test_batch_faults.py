"""The real batch lane under kills and faults, on a virtual clock; `make faults` plays many more."""

import asyncio

import pytest

from claude_core.errors import Overloaded, RateLimited, UpstreamRefused
from tests.faults.batch_cases import breaks, case, chaos, kills
from tests.faults.batch_many import mixed
from tests.faults.batch_scenario import DONE, FAILED, Expected, play
from tests.faults.batch_world import BatchWorld, Shape
from tests.sweep import sizes


@pytest.mark.parametrize("jobs", sizes(500, 10_000))
def test_many_jobs_of_mixed_fates_end_as_they_must_and_are_paid_once(jobs: int) -> None:
    played = case(f"items={jobs}")
    assert played.world.telemetry.counts["batches_created"] >= (2 if jobs == 10_000 else 1)
    assert len(played.expected) == jobs


@pytest.mark.parametrize("every", sizes(11, 1))
def test_killed_at_each_step_nothing_is_lost_and_nothing_is_asked_twice(every: int) -> None:
    played = [case(name) for name in kills()[::every]]
    assert len(played) > 300 / every
    assert sum(one.killed for one in played) > 300 / every, "the kills did not kill"


@pytest.mark.parametrize("every", sizes(11, 1))
def test_each_call_broken_alone_loses_nothing_and_nothing_is_asked_twice(every: int) -> None:
    assert len([case(name) for name in breaks()[::every]]) > 250 / every


@pytest.mark.parametrize("seed", range(12))
def test_under_chaos_every_job_ends_once_and_every_budget_is_exact(seed: int) -> None:
    chaos(seed)


def test_what_the_function_has_no_time_for_is_done_by_its_next_calls() -> None:
    async def submit(world: BatchWorld) -> Expected:
        expected = await mixed(800)(world)
        # AWS becomes slow when all is claimed and sent, and the results are still to come.
        asyncio.get_running_loop().call_later(200.0, world.points.slow, 2.0)
        return expected

    played = play(submit, Shape(takes_s=250.0, timeout_s=110.0, cuts=0))
    read = [made.read for made in played.world.claude.made.values()]
    assert max(read) > 2, "its time was enough"
    assert not played.killed


def test_a_batch_that_takes_a_day_and_longer_is_polled_at_leisure_and_counted_as_overdue() -> None:
    async def submit(world: BatchWorld) -> Expected:
        return {await world.submit(world.client()): DONE}

    played = play(submit, Shape(takes_s=90_000.0))
    assert 1 <= played.world.telemetry.counts["batches_overdue"] <= 4
    assert played.world.points.calls < 1_000


def test_a_batch_that_is_gone_at_claude_is_trouble_and_never_made_again() -> None:
    async def submit(world: BatchWorld) -> Expected:
        return {await world.submit(world.client()): DONE}

    played = play(submit, Shape(blips=40))
    assert any("does not find" in said for said in played.world.telemetry.troubles)


@pytest.mark.parametrize(
    "refusal",
    [
        UpstreamRefused("too large", status=413, type="request_too_large"),
        RateLimited("slow down", retry_after_s=2_000.0),
        Overloaded("overloaded"),
    ],
    ids=["too large", "too many", "overloaded"],
)
def test_refused_batches_are_tried_again_until_claude_takes_them(refusal: Exception) -> None:
    async def submit(world: BatchWorld) -> Expected:
        client = world.client()
        world.claude.refusals = [refusal] * 3
        return {await world.submit(client): DONE for _ in range(9)}

    played = play(submit)
    assert played.world.claude.refusals == []


def test_jobs_beyond_a_clients_money_are_asked_when_its_other_batch_has_given_back() -> None:
    async def submit(world: BatchWorld) -> Expected:
        poor, rich = world.client(budget=40_000_000), world.client()
        expected = {await world.submit(poor): DONE for _ in range(7)}
        return expected | {await world.submit(rich): DONE for _ in range(3)}

    played = play(submit)
    assert len(played.world.claude.made) >= 6


def test_a_client_that_is_disabled_meanwhile_is_settled_and_its_other_jobs_fail() -> None:
    async def submit(world: BatchWorld) -> Expected:
        client = world.client()
        first = await world.submit(client, ("expired", "succeeded"))
        asyncio.get_running_loop().call_later(
            100.0, lambda: world.clients.change(client, disabled={"BOOL": True})
        )
        return {first: FAILED, await world.submit(client): DONE}

    play(submit)
