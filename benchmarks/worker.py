"""One worker at work on one core: what a job of a full queue takes, whatever the worker is made of.

All figures are of the steady state: from when a fifth of the jobs is done (every process has its
imports behind it, every connection is open) until a tenth is left (all hands are still full).
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from statistics import median

from benchmarks import cores, tree
from local.processes import Guarded, tail

FROM, TO = 0.2, 0.9
EVERY_S, STALLED_S = 0.1, 60.0


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured in one run, or the medians of several."""

    jobs_per_s: float
    """By the clock, with one core to run on: what a neighbour on the machine takes is missing."""
    cpu_ms_per_job: float
    """User and system time of all processes of the worker; nobody's but theirs."""
    jobs_per_s_per_core: float
    """What a whole core would do at that price: hardly moved by neighbours."""
    jobs_per_s_per_gb: float
    """`jobs_per_s` by memory."""
    memory_mb: float
    """PSS of all processes of the worker, at its highest."""


def measure_worker(
    command: Sequence[str], env: dict[str, str], done: Callable[[], int], jobs: int
) -> Figures:
    """Run a worker against a queue that already holds `jobs`, until all are done.

    Args:
        command: starts the worker; with all that it starts itself it is held to one core.
        env: all of its environment.
        done: how many of the jobs have their result stored.

    Raises:
        RuntimeError: it ended, or did nothing for a minute; shows the end of its log.
    """
    with Guarded("bench-worker", list(command), env, grace_s=1) as worker:
        cores.own(worker.pid)
        watch = Watch(worker, done)
        watch.until(int(jobs * FROM))
        began, cpu_s, first = time.monotonic(), tree.cpu_s(worker.pid), done()
        watch.memory_mb = 0.0
        watch.until(int(jobs * TO))
        took_s, cpu_s = time.monotonic() - began, tree.cpu_s(worker.pid) - cpu_s
        count = done() - first
        memory_mb = watch.memory_mb
        watch.until(jobs)
    return Figures(
        jobs_per_s=count / took_s,
        cpu_ms_per_job=cpu_s * 1_000 / count,
        jobs_per_s_per_core=count / cpu_s,
        jobs_per_s_per_gb=count / took_s / (memory_mb / 1_000),
        memory_mb=memory_mb,
    )


def medians(runs: Sequence[Figures]) -> Figures:
    return Figures(*map(median, zip(*map(astuple, runs), strict=True)))


class Watch:
    """Sees a worker's jobs done, and its memory on the way."""

    def __init__(self, worker: Guarded, done: Callable[[], int]) -> None:
        self._worker, self._done, self.memory_mb = worker, done, 0.0

    def until(self, count: int) -> None:
        found, moved, looked = self._done(), time.monotonic(), 0.0
        while found < count:
            time.sleep(EVERY_S)
            now, before, found = time.monotonic(), found, self._done()
            if found > before:
                moved = now
            if self._worker.ended is not None or now - moved > STALLED_S:
                said = tail(self._worker.log)
                raise RuntimeError(f"the worker came to a stop with {found} jobs done:\n{said}")
            if now - looked > 1.0:
                looked, self.memory_mb = now, max(self.memory_mb, tree.memory_mb(self._worker.pid))
