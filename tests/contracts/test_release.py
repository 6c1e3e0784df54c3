"""A snapshot is written once, at a release, and does not change any more."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from claude_core import __version__
from tests.contracts import changes
from tests.contracts.__main__ import declared, release
from tests.contracts.identities import current
from tests.contracts.snapshot import (
    FOLDER,
    Snapshot,
    newest,
    pretty,
    snapshots,
)

FILES: dict[str, Any] = {"identities.json": {"dev": {}}, "rows/clients.json": {"read": {}}}
ENTRY = '[[change]]\nwhat = "a: gone"\ndata = "It is copied before the deploy."\n'


def test_version_of_the_project_has_its_snapshot() -> None:
    version = __version__
    assert version in [one.version for one in snapshots()], (
        f"the version is {version}, which has no snapshot: a release writes it with "
        "`python -m tests.contracts`"
    )


@pytest.mark.parametrize("snapshot", snapshots(), ids=lambda one: one.version)
def test_snapshot_is_as_it_was_written(snapshot: Snapshot) -> None:
    assert snapshot.digest() == snapshot.seal, (
        f"tests/contracts/{snapshot.version} was edited: what a version has promised does not "
        "change. Bring it back, and say in tests/contracts/changes.toml what is another now"
    )


def test_release_writes_a_snapshot_keeps_the_changes_and_begins_anew(tmp_path: Path) -> None:
    (tmp_path / "changes.toml").write_text(ENTRY)
    snapshot = release(tmp_path, "0.2.0", lambda: FILES)
    assert snapshot.identities == {"dev": {}}
    assert snapshot.recordings == {"clients": {"read": {}}}
    assert snapshot.seal == snapshot.digest()
    assert snapshot.changes is not None
    assert [one.what for one in changes.read(snapshot.changes)] == ["a: gone"]
    assert changes.read(tmp_path / "changes.toml") == []


def test_released_snapshot_is_not_overwritten(tmp_path: Path) -> None:
    release(tmp_path, "0.2.0", lambda: FILES)

    def again() -> dict[str, Any]:
        raise AssertionError("nothing is recorded for a version that has a snapshot")

    with pytest.raises(SystemExit, match="a snapshot is written once"):
        release(tmp_path, "0.2.0", again)


def test_release_refuses_a_difference_that_is_not_declared() -> None:
    before, files = newest(), {"identities.json": current(), "formats.json": newest().formats}
    entries = [one for one in changes.read() if not one.of]
    assert declared(files, before, entries) == files
    found = copy.deepcopy(files)
    del found["identities.json"]["prod"]["SharedStack"]["holds"]["ClaudeKey"]
    with pytest.raises(SystemExit, match="the secret ClaudeKey is gone"):
        declared(found, before, entries)


def test_edited_snapshot_does_not_fit_its_seal(tmp_path: Path) -> None:
    snapshot = release(tmp_path, "0.2.0", lambda: FILES)
    (snapshot.folder / "identities.json").write_text("{}")
    assert snapshot.digest() != snapshot.seal


def test_versions_are_ordered_as_numbers(tmp_path: Path) -> None:
    for version in ("0.10.0", "0.9.1", "0.2.0"):
        release(tmp_path, version, lambda: FILES)
    assert [one.version for one in snapshots(tmp_path)] == ["0.2.0", "0.9.1", "0.10.0"]


def test_snapshots_are_readable_and_the_same_as_json() -> None:
    value = {"open": {"M": {"a": {"N": "1"}}}, "models": {"SS": ["a", "b"]}, "none": {}, "list": []}
    text = pretty(value)
    assert json.loads(text) == value
    assert '  "models": {"SS": ["a", "b"]},\n' in text
    assert (FOLDER / __version__ / "identities.json").read_text().startswith('{\n  "dev": {')
