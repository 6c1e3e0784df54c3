"""Each tier runs whatever became of the one before, and is held to its seconds."""

import re

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
    assert re.search(r"lint +0 s of +9 +failed: make lint", tiers.table(outcomes))


@pytest.mark.parametrize(("seconds", "verdict"), [(9.0, "ok"), (9.1, "too slow")])
def test_tier_above_its_limit_is_too_slow(seconds: float, verdict: str) -> None:
    assert tiers.Outcome("lint", seconds, 9, 0).verdict.startswith(verdict)


def test_every_tier_with_a_limit_is_a_routine_of_the_makefile() -> None:
    found = tiers.limits((tiers.ROOT / "pyproject.toml").read_text())
    makefile = (tiers.ROOT / "Makefile").read_text()
    assert {"lint", "test-offline", "test-live", "test-browser"} <= set(found)
    assert all(re.search(rf"^{tier}:", makefile, re.MULTILINE) for tier in found)
