"""`make test`: every tier in turn, each with its seconds held against the limit in pyproject.toml.

All tiers run, whatever becomes of one of them: a missing browser must not hide a broken handler.
"""

import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]


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


def table(outcomes: list[Outcome]) -> str:
    lines = [
        f"{one.tier:<14}{one.seconds:>7.0f} s of {one.limit:>4.0f}   {one.verdict}"
        for one in outcomes
    ]
    total = sum(one.seconds for one in outcomes)
    return "\n".join(["", "seconds by tier", *lines, f"{'together':<14}{total:>7.0f} s"])


def main() -> None:
    outcomes = run(
        limits((ROOT / "pyproject.toml").read_text()),
        lambda tier: (
            subprocess.run(["make", "--no-print-directory", tier], cwd=ROOT, check=False).returncode
        ),
    )
    print(table(outcomes), flush=True)
    sys.exit(any(one.verdict != "ok" for one in outcomes))


if __name__ == "__main__":
    main()
