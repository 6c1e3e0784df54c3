"""Labelled questions: read from a file, each line held against the table of routes."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from claude_core.routes import BadTable, Table
from claude_core.wire import Json
from kit.say import Stop

SPLITS = ("tune", "held_out")
ALL = "all"
FEW = 10
"""Bad lines that are named one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One row."""

    line: int
    text: str
    intent: str
    """Whose route it should take."""
    id: str = ""
    split: str = ""
    tags: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.id or f"line {self.line}"

    @property
    def key(self) -> str:
        """The same in every run, and nothing of the text can be read from it."""
        return hashlib.sha256(f"{self.intent}\n{self.text}".encode()).hexdigest()[:24]


def routes(path: Path | None) -> Table:
    """A team's own table, or the one that ships.

    Raises:
        Stop: it cannot be used.
    """
    if path is None:
        return Table.own()
    try:
        return Table.from_json(path.read_bytes())
    except OSError as err:
        raise Stop(f"--routes {path}: cannot be read: {err.strerror}", code=2) from err
    except BadTable as err:
        raise Stop(f"--routes {path}: {err}", code=2) from err


def read(path: Path, table: Table, split: str = ALL) -> list[Question]:
    """The questions of a file, or of one split of it.

    Raises:
        Stop: names each line that cannot be used, and why.
    """
    try:
        lines = path.read_text("utf-8-sig").split("\n")
    except OSError as err:
        raise Stop(f"{path}: cannot be read: {err.strerror}", code=2) from err
    except UnicodeDecodeError as err:
        raise Stop(f"{path}: is not UTF-8", code=2) from err
    found, wrong = list[Question](), list[str]()
    first = dict[tuple[str, str], int]()
    for at, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            question = _question(at, line, table)
            for name, value in (("text", question.text), ("id", question.id)):
                if value and (before := first.setdefault((name, value), at)) != at:
                    raise ValueError(f"{name}: stands in line {before} already")
            found.append(question)
        except ValueError as err:
            wrong.append(f"line {at}: {err}")
    if wrong:
        more = [f"and {len(wrong) - FEW:,} more"] if len(wrong) > FEW else []
        said = "\n  ".join([f"{path} cannot be used:", *wrong[:FEW], *more])
        raise Stop(said, code=2)
    chosen = [one for one in found if split in (ALL, one.split)]
    if not chosen:
        rows = f"none of its {len(found):,} rows has split {split}" if found else "has no rows"
        raise Stop(f"{path}: {rows}", code=2)
    return chosen


def _question(at: int, line: str, table: Table) -> Question:
    """
    Raises:
        ValueError: says what is wrong with the row.
    """
    try:
        row: Any = json.loads(line)
    except (ValueError, RecursionError) as err:
        raise ValueError(f"is no JSON: {err}") from err
    if not isinstance(row, dict):
        raise ValueError('is no JSON object, such as {"text": "…", "intent": "question"}')
    for wrong in _wrong(row, table):
        raise ValueError(wrong)
    return Question(
        line=at,
        text=row["text"],
        intent=row["intent"],
        id=row.get("id", ""),
        split=row.get("split", ""),
        tags=tuple(row.get("tags", ())),
    )


RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "text": (lambda value: _text(value) and bool(value.strip()), "must be text, and not empty"),
    "id": (lambda value: _text(value), "must be text"),
    "split": (lambda value: value in SPLITS, f"must be one of {', '.join(SPLITS)}"),
    "tags": (
        lambda value: isinstance(value, list) and all(map(_text, value)),
        "must be a list of words",
    ),
}


def _wrong(row: Json, table: Table) -> Iterator[str]:
    for name in ("text", "intent"):
        if name not in row:
            yield f"{name}: is missing"
    for name, (holds, rule) in RULES.items():
        if name in row and not holds(row[name]):
            yield f"{name}: {rule}"
    if not isinstance(row["intent"], str) or row["intent"] not in table.routes:
        given = json.dumps(row["intent"], ensure_ascii=False)[:60]
        yield f"intent: {given} has no route that is on; there are {', '.join(table.routes)}"


def _text(value: object) -> bool:
    """Also: half of a pair of surrogates cannot be sent anywhere."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
