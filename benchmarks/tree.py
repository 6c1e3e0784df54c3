"""What everything below a process takes, as `/proc` of Linux tells it."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
GONE = (FileNotFoundError, ProcessLookupError)


def below(root: int) -> set[int]:
    """Every process that descends from `root`, without it."""
    parents: dict[int, int] = {}
    for folder in PROC.iterdir():
        if folder.name.isdigit():
            with suppress(*GONE):
                parents[int(folder.name)] = int(_stat(folder)[1])
    found: set[int] = set()
    new = {root}
    while new := {pid for pid, parent in parents.items() if parent in new}:
        found |= new
    return found


def cpu_s(root: int) -> float:
    """User and system time so far, that of children that have ended included."""
    ticks = _sum(root, lambda folder: sum(map(int, _stat(folder)[11:15])))
    return ticks / os.sysconf("SC_CLK_TCK")


def memory_mb(root: int) -> float:
    """PSS: a page that several processes share is charged to each in part.

    A sum of resident sizes would charge each forked process with all of its parent's pages.
    """
    return _sum(root, _pss_kb) / 1_000


def _sum(root: int, of: Callable[[Path], int]) -> int:
    total = 0
    for pid in below(root):
        with suppress(*GONE):
            total += of(PROC / str(pid))
    return total


def _stat(folder: Path) -> list[str]:
    """From the third field on; the second, its name, may hold blanks and brackets."""
    return (folder / "stat").read_text().rpartition(")")[2].split()


def _pss_kb(folder: Path) -> int:
    lines = (folder / "smaps_rollup").read_text().splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
