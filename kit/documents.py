"""What there is to submit: files, folders of files, lines of a file, standard input."""

import json
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from claude_core.jobs.documents import ENDINGS, MOST_BYTES, PDF, PDF_BEGINS_WITHIN
from claude_core.wire import Json
from kit.say import Stop

LINES, STDIN = ".jsonl", "-"


class Unreadable(Exception):
    """One document cannot be submitted, and why; the others can."""


@dataclass(frozen=True, slots=True)
class Document:
    """One thing to submit; what is in it is read when its turn comes."""

    name: str
    """The caller's word for it: the path as it was given."""
    path: Path | None = None
    content_type: str = "text/plain"
    at: int | None = None
    """Of a line: where in the file it begins."""
    piped: bytes | None = None
    """Standard input, which is read once."""

    def read(self) -> bytes:
        """
        Raises:
            Unreadable.
        """
        try:
            data = self._data(self.path) if self.path else self.piped or b""
        except OSError as err:
            raise Unreadable(f"cannot be read: {err.strerror}") from err
        if len(data) > MOST_BYTES:
            raise Unreadable(f"has more than {MOST_BYTES:,} bytes")
        if self.content_type == PDF and b"%PDF-" not in data[:PDF_BEGINS_WITHIN]:
            raise Unreadable("is no PDF")
        return data

    def _data(self, path: Path) -> bytes:
        with path.open("rb") as file:
            file.seek(self.at or 0)
            return file.read(MOST_BYTES + 1) if self.at is None else file.readline()

    def line(self) -> Json:
        """A line of a `.jsonl` file.

        Raises:
            Unreadable.
        """
        try:
            found = json.loads(self.read().decode("utf-8-sig"))
        except ValueError as err:
            raise Unreadable(f"is no JSON: {err}") from err
        if not isinstance(found, dict):
            raise Unreadable("is no JSON object")
        return found


def text(data: bytes) -> str:
    """
    Raises:
        Unreadable: nothing Claude could read.
    """
    try:
        found = data.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        raise Unreadable("is not UTF-8") from err
    if not found.strip():
        raise Unreadable("is empty")
    return found


def find(given: Iterable[str]) -> list[Document]:
    """Everything that the arguments name, each file once.

    Raises:
        Stop: one of them is not there, or nothing is.
    """
    found: dict[str, Document] = {}
    for name in given:
        for document in _of(name):
            found.setdefault(document.name, document)
    if not found:
        known = ", ".join([*ENDINGS, LINES])
        raise Stop(f"nothing to submit there; files of a folder are taken by type: {known}", code=2)
    return list(found.values())


def _of(name: str) -> Iterator[Document]:
    path = Path(name)
    if name == STDIN:
        yield Document("stdin", piped=sys.stdin.buffer.read(MOST_BYTES + 1))
    elif path.is_dir():
        for folder, folders, files in os.walk(path):
            folders[:] = sorted(one for one in folders if not one.startswith("."))
            for file in sorted(files):
                if not file.startswith(".") and _suffix(Path(file)) in (*ENDINGS, LINES):
                    yield from _file(Path(folder) / file)
    elif path.is_file():
        yield from _file(path)
    else:
        raise Stop(f"{name}: there is no such file or folder", code=2)


def _file(path: Path) -> Iterator[Document]:
    name = _name(path)
    if _suffix(path) != LINES:
        yield Document(name, path, ENDINGS.get(_suffix(path), "text/plain"))
        return
    with path.open("rb") as file:
        at = 0
        for number, line in enumerate(file, 1):
            if line.strip():
                yield Document(f"{name}:{number}", path, at=at)
            at += len(line)


def _suffix(path: Path) -> str:
    return path.suffix.lower()


def _name(path: Path) -> str:
    """The path as it was given, but the same one wherever in this folder it was given from."""
    whole = Path(os.path.normpath(Path.cwd() / path))
    if whole.is_relative_to(Path.cwd()):
        return whole.relative_to(Path.cwd()).as_posix()
    return (whole if path.is_absolute() else Path(os.path.normpath(path))).as_posix()
