"""Snapshots: what each version promised, in a folder of its own that is written once."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parent
CHANGES = "changes.toml"
SEAL = "SEAL"
"""The file that holds the digest of all others of a snapshot."""
TYPES = {"S", "N", "BOOL", "B", "SS", "NS", "L", "M", "NULL"}
WIDTH = 100


@dataclass(frozen=True)
class Snapshot:
    """One version's."""

    folder: Path

    @property
    def version(self) -> str:
        return self.folder.name

    @cached_property
    def identities(self) -> dict[str, Any]:
        return self._read("identities.json")

    @cached_property
    def formats(self) -> dict[str, Any]:
        return self._read("formats.json")

    @cached_property
    def recordings(self) -> dict[str, dict[str, Any]]:
        """By the part of a deployment that they are of."""
        files = sorted((self.folder / "rows").glob("*.json"))
        return {file.stem: self._read(f"rows/{file.name}") for file in files}

    @property
    def seal(self) -> str:
        return (self.folder / SEAL).read_text().strip()

    @property
    def changes(self) -> Path | None:
        """The changes since the snapshot before that were allowed; None: there were none."""
        found = self.folder / CHANGES
        return found if found.exists() else None

    def digest(self) -> str:
        """Of its files as they are now."""
        found = hashlib.sha256()
        files = (file for file in self.folder.rglob("*") if file.is_file() and file.name != SEAL)
        for file in sorted(files):
            found.update(f"{file.relative_to(self.folder).as_posix()}\n".encode())
            found.update(file.read_bytes())
        return found.hexdigest()

    def write(self, files: dict[str, Any], *, changes: str | None = None) -> None:
        """Write it; `changes` is the text of changes.toml, where it has entries.

        Raises:
            FileExistsError: it was written before.
        """
        self.folder.mkdir(parents=True)
        for name, content in files.items():
            file = self.folder / name
            file.parent.mkdir(exist_ok=True)
            file.write_text(f"{pretty(content)}\n")
        if changes is not None:
            (self.folder / CHANGES).write_text(changes)
        (self.folder / SEAL).write_text(f"{self.digest()}\n")

    def _read(self, name: str) -> dict[str, Any]:
        return dict(json.loads((self.folder / name).read_text()))


def snapshots(folder: Path = FOLDER) -> list[Snapshot]:
    """All of them, the oldest first."""
    found = [Snapshot(seal.parent) for seal in folder.glob(f"*/{SEAL}")]
    return sorted(found, key=lambda one: [int(part) for part in one.version.split(".")])


def newest() -> Snapshot:
    return snapshots()[-1]


def pretty(value: Any, indent: int = 0) -> str:
    """JSON to be read in a diff: what is short stands on one line, so an attribute does."""
    line = json.dumps(value, ensure_ascii=False, sort_keys=True)
    if not isinstance(value, dict | list) or not value or _is_attribute(value):
        return line
    if isinstance(value, list) and len(line) + indent <= WIDTH:
        return line
    pad, inner = " " * indent, " " * (indent + 2)
    if isinstance(value, list):
        parts = [pretty(one, indent + 2) for one in value]
        opens, closes = "[", "]"
    else:
        parts = [f"{json.dumps(name)}: {pretty(value[name], indent + 2)}" for name in sorted(value)]
        opens, closes = "{", "}"
    return f"{opens}\n{inner}" + f",\n{inner}".join(parts) + f"\n{pad}{closes}"


def _is_attribute(value: Any) -> bool:
    """Whether it is a value of DynamoDB that holds no others."""
    return isinstance(value, dict) and value.keys() <= TYPES - {"L", "M"}
