"""A missing program leaves a test out with one line; in CI it fails the run."""

import os
from pathlib import Path

import pytest

from tests import needs

PROGRAMS = {"first": ("first-name", "second-name")}
INSTALL = "first is not installed: apt-get update && apt-get install -y first"


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without any program."""
    monkeypatch.setattr(needs, "PROGRAMS", PROGRAMS)
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    monkeypatch.delenv("CI", raising=False)


def test_missing_program_skips_with_the_command_that_installs_it() -> None:
    with pytest.raises(pytest.skip.Exception, match=INSTALL):
        needs.program("first")


@pytest.mark.parametrize("value", ["1", "true"])
def test_missing_program_fails_in_ci(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("CI", value)
    with pytest.raises(pytest.fail.Exception, match=INSTALL):
        needs.program("first")


def test_program_is_found_under_any_of_its_names(tmp_path: Path) -> None:
    there = tmp_path / "second-name"
    there.touch(mode=0o755)
    assert needs.program("first") == os.fspath(there)
