"""Every failpoint alone: a small scenario, killed at each step, and each AWS call broken."""

from collections.abc import Iterator

from tests.faults.scenario import Scenario, play
from tests.faults.world import Shape

JOBS = 4


def clean() -> Scenario:
    """Nothing goes wrong in it by itself."""
    shape = Shape(seed=1, slots=3, longest_s=100.0)
    return Scenario(shape=shape, jobs=JOBS, workers=1)


def scenarios(*, every: int = 1, start: int = 0) -> Iterator[tuple[str, Scenario]]:
    """Each failpoint's name and scenario; `every` of them from `start` on."""
    world = play(clean())
    steps, calls = world.processes[0].steps, world.aws.calls
    found: list[tuple[str, int | None, tuple[int, str] | None]]
    found = [(f"kill_at={at}", at, None) for at in range(1, steps + 1)]
    found += [
        (f"break_at={at},{how}", None, (at, how))
        for at in range(1, calls + 1)
        for how in ("before", "after")
    ]
    for name, kill_at, break_at in found[start::every]:
        yield name, named(kill_at, break_at)


def named(kill_at: int | None, break_at: tuple[int, str] | None) -> Scenario:
    shape = Shape(seed=1, slots=3, longest_s=100.0, break_at=break_at)
    return Scenario(shape=shape, jobs=JOBS, workers=1, kill_at=kill_at)
