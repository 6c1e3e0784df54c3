"""The benchmark runs, and every figure that it promises is there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.rows import NAIVE_COLD, NAIVE_RSS, ROWS, Row
from benchmarks.table import cells

pytestmark = pytest.mark.check

ROOT = Path(__file__).parents[2]
EVERY = [row for rows in ROWS.values() for row in rows]


def test_one_round_fills_every_row() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--runs", "1", "--calls", "3", "--tokens", "20"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "200"},
    )
    assert done.returncode == 0, done.stderr
    lines = [line.split("│") for line in done.stdout.splitlines() if "│" in line]
    found = [(line[1].strip(), line[2].strip(), line[-2].strip()) for line in lines]
    rows = [(title, median) for title, median, _ in found if title not in ROWS]
    assert [title for title, *_ in rows] == [row.title for row in EVERY]
    assert all(median.endswith(row.unit) for row, (_, median) in zip(EVERY, rows, strict=True))


@pytest.mark.parametrize(
    ("row", "value", "verdict"),
    [
        (Row("it", "", "s", NAIVE_COLD, at_most=0.3), 0.6, "reached"),
        (Row("it", "", "s", NAIVE_COLD, at_most=0.3), 0.61, "not reached"),
        (Row("it", "", "MB", NAIVE_RSS, at_most_value=60), 60.0, "reached"),
        (Row("it", "", "MB", NAIVE_RSS, at_most_value=60), 60.1, "not reached"),
    ],
)
def test_a_target_is_reached_or_it_is_not(row: Row, value: float, verdict: str) -> None:
    samples = {NAIVE_COLD: [2.0], NAIVE_RSS: [80.0], "it": [value]}
    assert f"]{verdict}[" in cells(row, samples)[-1]
