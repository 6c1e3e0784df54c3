"""Why something of the inbox became no job: a text beside it, for whoever dropped it there."""

import hashlib

from claude_core.jobs.drops import INBOX

LONGEST_KEY = 1_000
"""S3 takes 1,024 bytes."""
MOST_SAID = 200
"""Lines of which a note says why."""
LONGEST_SAID = 300
"""Of one of them, in characters."""
FOLDER = "refused/"


def note_key(key: str) -> str:
    """Where the note on a key of the inbox is: refused/CLIENT/NAME.txt."""
    parts = key.removeprefix(INBOX).split("/")
    place = "/".join("_" if part in (".", "..") else part for part in parts)
    if len(place.encode()) > LONGEST_KEY:
        digest = hashlib.sha256(place.encode()).hexdigest()[:16]
        place = f"{place.encode()[: LONGEST_KEY - 20].decode(errors='ignore')}-{digest}"
    return f"{FOLDER}{place}.txt"


def refused(key: str, version: str | None, why: str) -> str:
    return f"{_what(key, version)} became no job: {why}.\n"


def lines_refused(
    key: str, version: str | None, *, jobs: int, refused: int, said: tuple[str, ...]
) -> str:
    more = [f"and {refused - len(said)} more"] if refused > len(said) else []
    told = [
        f"{_what(key, version)}: {jobs} lines became jobs, {refused} did not.",
        "Mend those and drop them as a file of their own: this one, dropped again, is new jobs all "
        "over.",
        "",
        *said,
        *more,
    ]
    return "\n".join(told) + "\n"


def said(line: int, why: str) -> str:
    """One line's reason, for `lines_refused`."""
    return f"line {line}: {why}"[:LONGEST_SAID]


def _what(key: str, version: str | None) -> str:
    return f"{key} (version {version})" if version else key
