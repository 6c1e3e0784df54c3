"""`make test`: every tier, each with its seconds held against the limit in pyproject.toml.

All tiers run, whatever becomes of one of them: a missing browser must not hide a broken handler.
They run in turn, but for `check`, which takes what they leave of the processors.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[1]
BESIDE = "check"
"""The tier that runs beside the others, at the lowest priority: it waits for nothing, and they
leave some of the processors idle. It is held to its seconds of CPU."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one tier took, and how it ended."""

    tier: str
    seconds: float
    limit: float
    exit_code: int

    @property
    def verdict(self) -> str:
        if self.exit_code:
            return f"failed: make {self.tier}"
        if self.seconds > self.limit:
            return "too slow: make it faster, or say in [tool.tiers] why it may take longer"
        return "ok"


def limits(pyproject: str) -> dict[str, float]:
    """Seconds that each tier may take on two cores, by its name in the Makefile."""
    found = tomllib.loads(pyproject)["tool"]["tiers"]
    return {str(tier): float(seconds) for tier, seconds in found.items()}


def run(allowed: Mapping[str, float], command: Callable[[str], int]) -> list[Outcome]:
    """Run every tier.

    Args:
        command: runs a tier by its name; returns its exit code.
    """
    outcomes = []
    for tier, limit in allowed.items():
        began = time.monotonic()
        code = command(tier)
        outcomes.append(Outcome(tier, time.monotonic() - began, limit, code))
    return outcomes


def table(outcomes: list[Outcome], seconds: float) -> str:
    """The outcomes, and how long all of them took together."""
    lines = [
        f"{one.tier:<14}{one.seconds:>7.0f} s of {one.limit:>4.0f}   {one.verdict}"
        f"{'   (CPU, beside the others)' if one.tier == BESIDE else ''}"
        for one in outcomes
    ]
    return "\n".join(["", "seconds by tier", *lines, f"{'together':<14}{seconds:>7.0f} s"])


def make(tier: str) -> list[str]:
    return ["make", "--no-print-directory", tier]


@dataclass(frozen=True, slots=True)
class Running:
    """A program that runs beside others."""

    process: subprocess.Popen[bytes]
    output: IO[bytes]

    def wait(self) -> tuple[int, float, str]:
        """Its exit code, the seconds of CPU that it and all that it waited for used, and what it
        printed."""
        _, status, used = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        self.output.seek(0)
        printed = self.output.read().decode(errors="replace")
        return self.process.returncode, used.ru_utime + used.ru_stime, printed


@contextmanager
def beside(command: list[str]) -> Iterator[Running]:
    """A command on what other programs leave of the processors; its output is kept for later. What
    of it still runs in the end is ended."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            ["nice", "-n", "19", *command],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        # Linux may weigh each session as a whole, whatever the niceness of what runs in it.
        with suppress(OSError):
            Path(f"/proc/{process.pid}/autogroup").write_text("19")
        try:
            yield Running(process, output)
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGTERM)
                process.wait()


def main() -> None:
    began = time.monotonic()
    allowed = limits((ROOT / "pyproject.toml").read_text())
    of_check = allowed.pop(BESIDE)
    with beside(make(BESIDE)) as check:
        outcomes = run(
            allowed, lambda tier: subprocess.run(make(tier), cwd=ROOT, check=False).returncode
        )
        code, cpu_s, printed = check.wait()
    outcomes.append(Outcome(BESIDE, cpu_s, of_check, code))
    print(f"\nmake {BESIDE}, which ran beside the others:\n{printed}")
    print(table(outcomes, time.monotonic() - began), flush=True)
    sys.exit(any(one.verdict != "ok" for one in outcomes))


if __name__ == "__main__":
    main()
