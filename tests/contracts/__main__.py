"""Write the snapshot of the version in claude_core/__init__.py: `python -m tests.contracts`."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from claude_core import __version__
from local.fake_claude.inprocess import serve
from tests.contracts import changes, identities, layouts
from tests.contracts.changes import Change
from tests.contracts.forms import formats
from tests.contracts.parts import PARTS, written
from tests.contracts.snapshot import FOLDER, Snapshot, snapshots
from tests.doubles import AwsDouble


def release(folder: Path, version: str, files: Callable[[], dict[str, Any]]) -> Snapshot:
    """Write a version's snapshot, keep the changes that led to it beside it, and begin anew.

    Args:
        files: makes what is in it, by name; asked only if it may be written.

    Raises:
        SystemExit: the version has one.
    """
    snapshot = Snapshot(folder / version)
    if snapshot.folder.exists():
        raise SystemExit(
            f"{snapshot.folder} is there: a snapshot is written once. Raise the version in "
            "claude_core/__init__.py for the next release"
        )
    current = folder / changes.CHANGES.name
    allowed = current.read_text() if current.exists() and changes.read(current) else None
    snapshot.write(files(), changes=allowed)
    current.write_text(changes.EMPTY)
    return snapshot


def taken() -> dict[str, Any]:
    """What this version promises, by the name of its file."""
    with AwsDouble() as aws, serve() as claude:
        recordings = written(aws, claude)
        read = {name: PARTS[name].read(one, aws) for name, one in recordings.items()}
    return {
        "identities.json": identities.current(),
        "formats.json": formats(recordings.values()),
        **{
            f"rows/{name}.json": {**one.to_json(), "read": read[name]}
            for name, one in recordings.items()
        },
    }


def declared(files: dict[str, Any], before: Snapshot, allowed: list[Change]) -> dict[str, Any]:
    """The files, if every difference from the snapshot before is allowed: this is the last moment
    at which one can be seen.

    Raises:
        SystemExit: says which is not.
    """
    found = [
        *identities.differences(before.identities, files["identities.json"]),
        *layouts.differences(before.formats, files["formats.json"]),
    ]
    broken = [*changes.undeclared(found, allowed), *changes.unspoken(allowed)]
    broken += layouts.misnumbered(before.formats, files["formats.json"])
    if broken:
        raise SystemExit("\n".join(broken))
    return files


def main() -> None:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    before, allowed = snapshots()[-1:], changes.read()
    snapshot = release(
        FOLDER,
        __version__,
        lambda: declared(taken(), before[0], allowed) if before else taken(),
    )
    print(f"wrote {snapshot.folder}; read its diff, and commit it with the release")


if __name__ == "__main__":
    main()
