"""One core for what is measured, the others for what stands beside it."""

import os


def own(pid: int) -> None:
    """Hold a process, and all that it will start, to the measured core."""
    os.sched_setaffinity(pid, {max(os.sched_getaffinity(0))})


def beside(pid: int) -> None:
    """Keep a process off the measured core, where there is another."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(pid, cores - {max(cores)} or cores)
