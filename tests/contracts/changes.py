"""Differences from the newest snapshot, and the entries of changes.toml that allow them."""

import json
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.contracts import snapshot

CHANGES = snapshot.FOLDER / snapshot.CHANGES
FORMAT, READ = "format", "read"
"""The first words of differences of formats, and of what is read from recorded rows; all others are
of identities."""
LEAST_WORDS = 5
FIELDS = {"what", "data", "environments", "migrate"}
EMPTY = """\
# What this version changes of what the newest snapshot promises: identities of what holds data, and
# formats of what is stored. docs/upgrading.md says how; a failed test prints the entry to fill in.
# `python -m tests.contracts` empties this file at a release.
"""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as the newest snapshot has it."""

    what: str
    """What an entry of changes.toml allows it by."""
    says: str
    """What it means, in a sentence; says what would be lost."""
    mend: str
    """How it is undone."""
    environment: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """An entry of changes.toml: a difference that is meant, and what happens to the data."""

    what: str
    data: str = ""
    environments: tuple[str, ...] = ()
    """Where it is meant; none named: everywhere."""
    migrate: str = ""

    def allows(self, found: Difference) -> bool:
        here = not self.environments or found.environment in self.environments
        return self.what == found.what and here

    @property
    def of(self) -> str:
        """FORMAT, READ, or nothing: of identities."""
        first = self.what.partition(" ")[0]
        return first if first in (FORMAT, READ) else ""


def read(path: Path = CHANGES) -> list[Change]:
    """Raises: ValueError, where an entry has other fields or no `what`."""
    entries = tomllib.loads(path.read_text()).get("change", [])
    for entry in entries:
        if unknown := sorted(entry.keys() - FIELDS):
            raise ValueError(f"{path.name}: no such field of a change: {unknown[0]}")
        if not entry.get("what"):
            raise ValueError(f"{path.name}: a change without `what` allows nothing")
    return [
        Change(
            entry["what"],
            entry.get("data", ""),
            tuple(entry.get("environments", ())),
            entry.get("migrate", ""),
        )
        for entry in entries
    ]


def unspoken(changes: Iterable[Change]) -> list[str]:
    """Entries that do not say what happens to the data."""
    return [
        f"tests/contracts/changes.toml: the entry for {one.what!r} does not say what happens to "
        f"the data: write a sentence as its `data`."
        for one in changes
        if len(one.data.split()) < LEAST_WORDS
    ]


def unmatched(differences: Iterable[Difference], changes: Iterable[Change]) -> list[str]:
    """Entries that allow what is no difference, in one of the environments that they name."""
    found, stale = list(differences), list[str]()
    for one in changes:
        wanted = one.environments or (None,)
        for environment in wanted:
            where = f" in {environment}" if environment else ""
            if not any(
                one.allows(other) and environment in (None, other.environment) for other in found
            ):
                stale.append(
                    f"tests/contracts/changes.toml: the entry for {one.what!r} matches no "
                    f"difference{where}: it was undone, or is spelled otherwise. Delete it, or "
                    "copy what the failed test prints."
                )
    return stale


def undeclared(differences: Iterable[Difference], changes: Iterable[Change]) -> list[str]:
    """A sentence for each difference that no entry allows, the environments of one together."""
    allowed, environments = list(changes), dict[Difference, list[str]]()
    for found in differences:
        if not any(one.allows(found) for one in allowed):
            alike = Difference(found.what, found.says, found.mend)
            environments.setdefault(alike, []).append(found.environment or "")
    return [_sentence(found, [*filter(None, where)]) for found, where in environments.items()]


def _sentence(found: Difference, environments: list[str]) -> str:
    where = f"{_listed(environments)} " if environments else ""
    names = ", ".join(f'"{name}"' for name in environments)
    only = f"environments = [{names}]\n" if environments else ""
    return (
        f"{where}{found.says} {found.mend}, or add a line to tests/contracts/changes.toml that "
        "says what happens to the data:\n\n"
        f"[[change]]\nwhat = {json.dumps(found.what, ensure_ascii=False)}\n{only}"
        'data = ""\n'
    )


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
