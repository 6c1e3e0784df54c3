"""Each way to import the SDK answers, fails, and has its row."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.sdk_import import COLUMNS, VARIANTS, Samples, table

ROOT = Path(__file__).parents[2]


@pytest.mark.check
def test_one_round_measures_every_way_to_import_the_sdk() -> None:
    command = [sys.executable, "-m", "benchmarks.sdk_import", "--runs", "1"]
    done = subprocess.run(
        [*command, "--scene", "lambda_src.api", "--beside", "."],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    lines = [line.split("│") for line in done.stdout.splitlines() if "│" in line]
    assert [line[1].strip() for line in lines] == [*VARIANTS.values(), "./claude_core/lazy.py"]
    assert all(float(cell.split()[0]) > 0 for line in lines for cell in line[2:-1])


def test_table_compares_each_median_with_the_best_of_its_column() -> None:
    samples: Samples = {
        "slow": [dict.fromkeys(COLUMNS, value) for value in (2.0, 3.0, 9.0)],
        "fast": [dict.fromkeys(COLUMNS, value) for value in (1.0, 2.0, 8.0)],
    }
    ways, *columns = table("it", samples, 3).columns
    assert [*ways.cells] == ["slow", "fast"]
    assert all([*column.cells] == ["3 (1.50)", "2 (1.00)"] for column in columns)
