"""What was dropped into the inbox: whose it is by its place, what it is by its ending."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from pathlib import PurePosixPath
from typing import Any

from claude_core.clients import ID_LENGTH
from claude_core.errors import InvalidRequest
from claude_core.jobs.documents import ENDINGS

INBOX = "inbox/"
LINES = (".jsonl", ".ndjson")
CLIENT = re.compile(rf"[A-Za-z0-9_-]{{{ID_LENGTH}}}")
KNOWN = ", ".join((*ENDINGS, *LINES))


@dataclass(frozen=True, slots=True)
class Drop:
    """One version of one file below a client's folder of the inbox."""

    key: str
    version: str | None
    """None in a bucket without versions."""
    client: str
    name: str
    """Its key below the client's folder."""
    content_type: str | None
    """Of a document; None for a file of which each line is a job."""
    mark: str
    """What tells this version from others of its key."""

    @classmethod
    def of(cls, key: str, version: str | None, mark: str) -> "Drop":
        """Read a key.

        Raises:
            InvalidRequest: nobody's, or nothing that can be asked about; says what to do.
        """
        client, _, name = key.removeprefix(INBOX).partition("/")
        if not CLIENT.fullmatch(client) or not name:
            raise InvalidRequest(
                "it is in no client's folder; put it under inbox/CLIENT/, where CLIENT are the "
                "eight characters that follow ck_ in the client's key (kit clients list)"
            )
        if {".", ".."} & {*name.split("/")}:
            raise InvalidRequest("a part of its name is . or ..; give it another name")
        ending = PurePosixPath(name).suffix.lower()
        if ending not in LINES and ending not in ENDINGS:
            raise InvalidRequest(f"its name has none of the endings known here: {KNOWN}")
        return cls(key, version, client, name, ENDINGS.get(ending), mark)

    @property
    def id(self) -> str:
        return hashlib.sha256(f"{self.key}\0{self.mark}".encode()).hexdigest()[:32]

    def idempotency_key(self, line: int = 0) -> str:
        """For the job of a document, or of a line. No caller's has a space in it."""
        return f"inbox {self.id} {line}"


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > 9:
        raise InvalidRequest("max-tokens: must be a whole number")
    return int(text)


def _flag(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise InvalidRequest("long: must be true or false")
    return text.lower() == "true"


def _text(text: str) -> str:
    """S3 gives back what is not ASCII as mail does: `=?UTF-8?Q?=C3=9C?=`."""
    try:
        return str(make_header(decode_header(text)))
    except (HeaderParseError, LookupError, ValueError):
        return text


OPTIONS = {
    "instruction": _text,
    "model": _text,
    "max-tokens": _number,
    "lane": _text,
    "long": _flag,
    "result-bucket": _text,
}
"""S3 user metadata (`x-amz-meta-instruction`, …) that stands for a field of `POST /v1/jobs`."""


def options(metadata: Mapping[str, str]) -> dict[str, Any]:
    """Fields of a job out of an object's metadata; what is not ours there is left alone.

    Raises:
        InvalidRequest: names the field and the rule.
    """
    return {
        name.replace("-", "_"): read(metadata[name])
        for name, read in OPTIONS.items()
        if name in metadata
    }
