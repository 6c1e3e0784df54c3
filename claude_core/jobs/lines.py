"""The lines of a long file, read piece by piece from any place in it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from claude_core.aws import AwsRefused
from claude_core.jobs.files import Files
from claude_core.wire import MAX_BODY_BYTES

PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Line:
    text: bytes | None
    """Without its end; None where it is longer than a request may be."""
    ends: int
    """Where the next one begins, in bytes of the file."""


async def lines(files: Files, key: str, version: str | None, at: int) -> AsyncIterator[Line]:
    """Lines from byte `at` on, where one begins; never more than the longest is held.

    Raises:
        AwsRefused, AwsUnreachable.
    """
    ends, rest, dropped = at, b"", 0
    read_to, size = at, at + 1
    while read_to < size:
        try:
            found = await files.find(key, version=version, part=range(read_to, read_to + PIECE))
        except AwsRefused as err:
            if err.code != "InvalidRange":  # S3's word for the end of what is empty
                raise
            break
        read_to, size = read_to + len(found.body), found.size
        *whole, rest = (rest + found.body).split(b"\n")
        for text in whole:
            ends += dropped + len(text) + 1
            yield Line(None if dropped or len(text) > MAX_BODY_BYTES else text, ends)
            dropped = 0
        if len(rest) > MAX_BODY_BYTES:
            dropped, rest = dropped + len(rest), b""
    if rest or dropped:
        yield Line(None if dropped else rest, ends + dropped + len(rest))
