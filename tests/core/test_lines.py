"""A long file is read in pieces: every line once, from any line on, and never all at once."""

import asyncio
import tracemalloc
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_core.aws_shapes import Found
from claude_core.jobs import lines as module
from claude_core.jobs.files import Files
from claude_core.jobs.lines import Line, lines
from claude_core.wire import MAX_BODY_BYTES
from tests.cloud.refusing import refused

LONGEST = 12
TEXTS = st.lists(st.binary(max_size=30).filter(lambda text: b"\n" not in text), max_size=12)


class OneFile:
    """A bucket with one object; `body` may be longer than memory has room for."""

    def __init__(self, body: bytes, times: int = 1) -> None:
        self._body, self._size = body, len(body) * times
        self.most = 0

    async def find(self, key: str, *, version: str | None, part: range) -> Found:
        assert (key, version) == ("key", "v")
        if part.start >= self._size:
            raise refused("InvalidRange", "The requested range is not satisfiable")
        self.most = max(self.most, len(part))
        stop = min(part.stop, self._size)
        at = part.start % len(self._body)
        copies = (stop - part.start) // len(self._body) + 2
        return Found((self._body * copies)[at : at + stop - part.start], self._size, "", {})


def read(body: bytes, at: int = 0) -> list[Line]:
    async def all_of_them() -> list[Line]:
        files = cast(Files, OneFile(body or b"\n", 1 if body else 0))
        return [line async for line in lines(files, "key", "v", at)]

    return asyncio.run(all_of_them())


@given(texts=TEXTS, ended=st.booleans(), piece=st.integers(1, 40))
def test_every_line_is_read_once_whatever_the_pieces_and_a_long_one_by_its_place_alone(
    texts: list[bytes], ended: bool, piece: int
) -> None:
    body = b"\n".join(texts) + (b"\n" if ended and texts else b"")
    wanted = body.split(b"\n")
    if not wanted[-1]:
        wanted.pop()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "PIECE", piece)
        patch.setattr(module, "MAX_BODY_BYTES", LONGEST)
        found = read(body)
        assert [line.text for line in found] == [
            text if len(text) <= LONGEST else None for text in wanted
        ]
        for at, line in enumerate(found):
            assert read(body, line.ends) == found[at + 1 :], "from any line on it is the same"
    if found:
        assert found[-1].ends == len(body)


def test_a_file_longer_than_memory_is_read_in_little() -> None:
    text = b'{"doc_id": "a", "content": "' + b"x" * 1_000 + b'"}\n'
    file = OneFile(text, times=100_000)

    async def count() -> int:
        return sum([1 async for _ in lines(cast(Files, file), "key", "v", 0)])

    tracemalloc.start()
    try:
        assert asyncio.run(count()) == 100_000
        assert tracemalloc.get_traced_memory()[1] < 8 * module.PIECE
    finally:
        tracemalloc.stop()


def test_a_line_without_an_end_is_not_kept_while_it_is_read() -> None:
    file = OneFile(b"x" * 1_000_000, times=100)

    async def all_of_them() -> list[Line]:
        return [line async for line in lines(cast(Files, file), "key", "v", 0)]

    tracemalloc.start()
    try:
        assert asyncio.run(all_of_them()) == [Line(None, 100_000_000)]
        assert tracemalloc.get_traced_memory()[1] < 4 * MAX_BODY_BYTES
    finally:
        tracemalloc.stop()
