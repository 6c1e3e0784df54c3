"""Each tier runs whatever became of the one before, and is held to its seconds."""

import re
import signal
import sys

import pytest

from tests import tiers


def test_every_tier_runs_though_one_fails_and_the_table_says_which() -> None:
    ran = list[str]()

    def command(tier: str) -> int:
        ran.append(tier)
        return 2 if tier == "lint" else 0

    outcomes = tiers.run({"lint": 9, "test-live": 9}, command)
    assert ran == ["lint", "test-live"]
    assert [one.verdict for one in outcomes] == ["failed: make lint", "ok"]
    table = tiers.table(outcomes, 12)
    assert re.search(r"lint +0 s of +9 +failed: make lint\n", table)
    assert re.search(r"together +12 s", table)


@pytest.mark.parametrize(("seconds", "verdict"), [(9.0, "ok"), (9.1, "too slow")])
def test_tier_above_its_limit_is_too_slow(seconds: float, verdict: str) -> None:
    assert tiers.Outcome("lint", seconds, 9, 0).verdict.startswith(verdict)


def test_what_runs_beside_the_others_tells_its_end_its_cpu_and_what_it_printed() -> None:
    burn = "import time\nwhile time.process_time() < 0.2: pass\nprint('found')\nraise SystemExit(3)"
    with tiers.beside(["sh", "-c", f'"$0" -c "{burn}"; exit $?', sys.executable]) as running:
        code, cpu_s, printed = running.wait()
    assert (code, printed) == (3, "found\n")
    assert 0.2 <= cpu_s < 5


def test_what_runs_beside_the_others_ends_with_them() -> None:
    with tiers.beside(["sh", "-c", "sleep 600; true"]) as running:
        assert running.process.poll() is None
    assert running.process.returncode == -signal.SIGTERM


def test_every_tier_with_a_limit_is_a_routine_of_the_makefile() -> None:
    found = tiers.limits((tiers.ROOT / "pyproject.toml").read_text())
    makefile = (tiers.ROOT / "Makefile").read_text()
    assert {"check", "test-offline", "test-live", "test-browser"} <= set(found)
    assert all(re.search(rf"^{tier}:", makefile, re.MULTILINE) for tier in found)
