"""The routed answer's benchmark runs, and every figure that it promises is there."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.orchestrator import CLASSIFYING, TARGETS, routing_ms

pytestmark = pytest.mark.check

ROOT = Path(__file__).parents[2]


def test_one_round_fills_every_row() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.orchestrator", "--runs", "1", "--calls", "10"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    found = [line.split("│")[1].strip() for line in done.stdout.splitlines() if "│" in line]
    assert found == ["naive", *TARGETS, CLASSIFYING]


def test_routing_itself_is_cheap() -> None:
    assert 0 < routing_ms() < 1.0
