"""`make faults-long`: many jobs by real processes that are killed, on a local cloud of its own."""

import argparse
import subprocess
import sys

from local import up
from local.paths import ROOT
from tests.rig.rig import run


def local(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "local", *arguments], cwd=ROOT, check=True)


def main() -> None:
    read = argparse.ArgumentParser(prog="python -m tests.rig")
    read.add_argument("--jobs", type=int, default=10_000)
    read.add_argument("--seed", type=int, default=1)
    asked = read.parse_args()
    started = up.running() is None
    if started:
        local("up", "--detach")
    try:
        outcome = run(asked.jobs, seed=asked.seed, say=lambda what: print(what, flush=True))
    finally:
        if started:
            local("stop")
    outcome.check()
    attempts = sum(job.attempts for job in outcome.jobs.values())
    print(
        f"{len(outcome.jobs)} jobs in {outcome.seconds:.0f} s: {outcome.kills} workers killed, "
        f"{outcome.crashes} ended by poison, {outcome.letters} dead letters, "
        f"{outcome.paid} answers paid in {attempts} attempts"
    )


if __name__ == "__main__":
    main()
