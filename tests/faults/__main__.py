"""`make faults`: many seeds, then each failpoint alone; what breaks is named, with its replay."""

import argparse
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

from tests.faults import each
from tests.faults.scenario import by_seed, play

REPLAY = "python -m tests.faults"


def seed(number: int, jobs: int) -> str | None:
    """Play one seed; what broke, with the command that replays it."""
    try:
        play(by_seed(number, jobs))
    except Exception as err:
        command = f"{REPLAY} --seed {number} --jobs {jobs}"
        return f"seed {number}: {type(err).__name__}: {str(err)[:300]}\n    replay: {command}"
    return None


def failpoints(part: int, parts: int) -> list[str]:
    """Play every failpoint of one part; what broke."""
    broken = []
    for name, scenario in each.scenarios(every=parts, start=part):
        try:
            play(scenario)
        except Exception as err:
            said = f"{name}: {type(err).__name__}: {str(err)[:300]}"
            broken.append(f"{said}\n    replay: {REPLAY} --failpoint {name}")
    return broken


def failpoint(name: str) -> None:
    kind, _, at = name.partition("=")
    if kind == "kill_at":
        play(each.named(int(at), None))
    else:
        number, _, how = at.partition(",")
        play(each.named(None, (int(number), how)))


def every(seeds: int, jobs: int) -> Iterator[str]:
    """Everything, on all cores."""
    parts = 16
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for broken in pool.map(seed, range(seeds), [jobs] * seeds, chunksize=5):
            yield from [broken] if broken else []
        print(f"{seeds} seeds of {jobs} jobs played", flush=True)
        for found in pool.map(failpoints, range(parts), [parts] * parts):
            yield from found
    print("each failpoint played", flush=True)


def main() -> None:
    read = argparse.ArgumentParser(prog=REPLAY)
    read.add_argument("--seeds", type=int, default=1_000, help="how many")
    read.add_argument("--jobs", type=int, default=200, help="of each seed")
    read.add_argument("--seed", type=int, help="replay one")
    read.add_argument("--failpoint", help="replay one: kill_at=STEP, or break_at=CALL,before|after")
    asked = read.parse_args()
    began = time.monotonic()
    if asked.seed is not None:
        play(by_seed(asked.seed, asked.jobs))
    elif asked.failpoint is not None:
        failpoint(asked.failpoint)
    else:
        broken = list(every(asked.seeds, asked.jobs))
        print(*broken, sep="\n")
        print(f"{len(broken)} broken, {time.monotonic() - began:.0f} s")
        sys.exit(bool(broken))
    print("nothing broke")


if __name__ == "__main__":
    main()
