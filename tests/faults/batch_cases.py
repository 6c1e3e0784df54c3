"""What the batch lane is put through, by name: each failpoint alone, chaos by seed, and many jobs.

kill=STEP           the process is killed at that step, and another one goes on
break=CALL,HOW      a call to AWS or to Claude fails, "before" it is done or "after"
outage=CALL         from that call on AWS is down, for longer than a call insists
seed=NUMBER         kills, duplicates, failures and slowness, drawn by it
items=NUMBER        so many jobs
"""

import random
from collections.abc import Sequence

from tests.faults.batch_many import mixed
from tests.faults.batch_scenario import Played, of_every_fate, play
from tests.faults.batch_world import Shape

OUTAGE_S = 60.0


def kills() -> list[str]:
    return [f"kill={at}" for at in range(1, play(of_every_fate).steps + 1)]


def breaks() -> list[str]:
    calls = range(1, play(of_every_fate).world.points.calls + 1)
    return [f"break={at},{how}" for at in calls for how in ("before", "after")]


def outages() -> list[str]:
    calls = range(1, play(of_every_fate).world.points.calls + 1)
    return [f"outage={at}" for at in calls]


def case(name: str) -> Played:
    """Play one.

    Raises:
        AssertionError: says what was broken.
    """
    kind, _, what = name.partition("=")
    match kind:
        case "kill":
            return play(of_every_fate, kill_at=int(what))
        case "break":
            at, _, how = what.partition(",")
            return play(of_every_fate, Shape(break_at=(int(at), how)))
        case "outage":
            shape = Shape(break_at=(int(what), "before"), outage_s=OUTAGE_S)
            return play(of_every_fate, shape)
        case "seed":
            return chaos(int(what))
        case "items":
            return play(mixed(int(what)), Shape(takes_s=3_000.0))
    raise ValueError(f"no such case: {name}")


def chaos(seed: int) -> Played:
    """Another mixture of everything for each seed."""
    rand = random.Random(f"batch {seed}")
    shape = Shape(
        seed=seed,
        trouble=rand.choice((0.0, 0.02, 0.1)),
        duplicates=rand.choice((0.0, 0.2)),
        lag_s=rand.choice((0.1, 5.0, 30.0)),
        takes_s=rand.choice((10.0, 150.0, 3_000.0, 40_000.0)),
        kill_every=rand.choice((0, 50, 300)),
        blips=rand.choice((0, 3)),
        unlisted_s=rand.choice((0.0, 90.0)),
        break_at=(rand.randrange(1, 300), "before"),
        outage_s=rand.choice((0.0, 30.0, 60.0, 400.0)),
    )
    return play(of_every_fate, shape, sources=rand.choice((1, 2)))


def broken(names: Sequence[str]) -> list[str]:
    """Those cases that break something, with what, and the command that plays one again."""
    found = []
    for name in names:
        try:
            case(name)
        except Exception as err:
            said = f"{name}: {type(err).__name__}: {str(err)[:300]}"
            found.append(f"{said}\n    replay: python -m tests.faults.batch --case {name}")
    return found
