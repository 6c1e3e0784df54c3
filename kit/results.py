"""Answers as files: each document's text under one folder, where no name leads out of it."""

import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from claude_core.wire import Json
from kit.documents import Document
from kit.say import Stop

UNFIT = re.compile(r'[\x00-\x1f<>:"\\|?*]')
"""What some file system does not take."""
LONGEST = 120


def path_of(name: str) -> Path:
    """Where in the folder a document's answer goes: `docs/a.md` as it is, `docs/a.pdf` with `.md`
    added, so that two documents do not share a file."""
    parts = [part for part in PurePosixPath(name).parts if part not in ("/", ".", "..")]
    *folders, last = [UNFIT.sub("_", part)[:LONGEST] for part in parts] or ["_"]
    return Path(*folders, last if last.lower().endswith(".md") else f"{last}.md")


def text_of(job: Json) -> str:
    """What Claude said."""
    if "text" in job:
        return str(job["text"])
    blocks = (job.get("result") or {}).get("content") or []
    return "".join(block["text"] for block in blocks if block.get("type") == "text")


class Folder:
    """Where answers are written, as they come."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def check(self, documents: Iterable[Document]) -> None:
        """
        Raises:
            Stop: an answer would replace what was submitted, or another answer.
        """
        if self._folder.exists() and not self._folder.is_dir():
            raise Stop(f"--output {self._folder}: is no folder", code=2)
        taken: dict[Path, str] = {}
        for document in documents:
            to = self._folder / path_of(document.name)
            if (other := taken.setdefault(to, document.name)) != document.name:
                both = f"{other} and {document.name}"
                raise Stop(f"--output: {both} would share {to}; submit them apart", code=2)
            if document.path and to.exists() and to.samefile(document.path):
                raise Stop(f"--output {self._folder}: {to} would be replaced by its answer", code=2)

    def write(self, name: str, job: Json) -> None:
        """
        Raises:
            Stop: the disk is full, or not ours.
        """
        to = self._folder / path_of(name)
        partly = to.with_name(f".{to.name}.part")
        try:
            to.parent.mkdir(parents=True, exist_ok=True)
            partly.write_text(text_of(job), encoding="utf-8")
            partly.replace(to)
        except OSError as err:
            raise Stop(f"--output: {to} cannot be written: {err.strerror}") from err
