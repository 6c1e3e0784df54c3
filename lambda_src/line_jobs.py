"""A file of which each line is the body of a `POST /v1/jobs`, read in windows, with a checkpoint.

A line makes the same job however often it is read; what is in no checkpoint is read again.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from claude_core.admission import forbidden
from claude_core.errors import InvalidRequest, Refused, TooLarge
from claude_core.jobs import notes
from claude_core.jobs.accepting import Accepting
from claude_core.jobs.checkpoints import Checkpoint, Checkpoints
from claude_core.jobs.drops import Drop
from claude_core.jobs.files import Files
from claude_core.jobs.intake import NewJob, fields_of, new_job
from claude_core.jobs.lines import Line, lines
from claude_core.jobs.store import Kept
from claude_core.jobs.uploads import Uploads
from claude_core.row import Row
from claude_core.wire import MAX_BODY_BYTES, Json, from_bytes

WINDOW, WINDOW_LINES = 100, 1_000
"""Jobs that are kept and sent together; and lines, most of them empty."""
WINDOW_BYTES = 4_000_000
"""Of what they ask."""
MARK = b"\xef\xbb\xbf"
"""What editors on Windows write before UTF-8."""


@dataclass(frozen=True, slots=True)
class Ended:
    """Whether a file is over, and what came of the lines that were read now."""

    over: bool
    accepted: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class Window:
    """What lines have come to since the last checkpoint."""

    jobs: list[tuple[int, NewJob]]
    """With the number of the line."""
    said: list[str]
    """Why others are none."""

    @property
    def full(self) -> bool:
        size = sum(len(new.request.wire) for _, new in self.jobs)
        return len(self.jobs) + len(self.said) >= WINDOW or size >= WINDOW_BYTES


class LineJobs:
    """Methods raise AwsRefused, AwsUnreachable: what is not in a checkpoint comes again."""

    def __init__(
        self,
        files: Files,
        accepting: Accepting,
        checkpoints: Checkpoints,
        buckets: frozenset[str],
    ) -> None:
        self._files, self._accepting, self._checkpoints = files, accepting, checkpoints
        self._uploads, self._buckets = Uploads(files), buckets

    async def run(
        self, drop: Drop, row: Row, options: dict[str, Any], on: Callable[[], bool]
    ) -> Ended:
        """Make jobs of the lines that no checkpoint has, as long as `on` says so.

        Args:
            row: the client's.
            options: fields for the lines that do not have them.
        """
        point, ended = await self._checkpoints.find(drop), Ended(over=True)
        if point.over:
            return ended
        window, number, ends = Window([], []), point.line, point.read_to
        async for line in lines(self._files, drop.key, drop.version, point.read_to):
            number, ends = number + 1, line.ends
            try:
                new = await self._read(line, number, drop, row, options)
                if new is not None:
                    window.jobs.append((number, new))
            except Refused as err:
                window.said.append(notes.said(number, err.message))
            if window.full or number - point.line >= WINDOW_LINES:
                point, ended = await self._do(drop, window, point, ended, number, ends)
                window = Window([], [])
                if not on():
                    return replace(ended, over=False)
        point, ended = await self._do(drop, window, point, ended, number, ends)
        await self._end(drop, point)
        return ended

    async def _end(self, drop: Drop, point: Checkpoint) -> None:
        """Tell of the lines that became no jobs, then write down that the file is over."""
        if not point.jobs and not point.refused:
            raise InvalidRequest("no line of it has anything in it")
        if point.refused:
            text = notes.lines_refused(
                drop.key,
                drop.version,
                jobs=point.jobs,
                refused=point.refused,
                said=point.said,
            )
            await self._files.write_text(notes.note_key(drop.key), text)
        await self._checkpoints.keep(drop, replace(point, over=True))

    async def _read(
        self, line: Line, number: int, drop: Drop, row: Row, options: dict[str, Any]
    ) -> NewJob | None:
        """The job of a line; None for an empty one.

        Raises:
            Refused: why it is none.
        """
        if line.text is None:
            raise TooLarge(f"it is longer than {MAX_BODY_BYTES} bytes")
        text = line.text.removeprefix(MARK) if number == 1 else line.text
        if not text.strip():
            return None
        body = from_bytes(text)
        known = fields_of(body)
        body = {name: value for name, value in options.items() if name in known} | body
        content = await self._content(drop.client, body)
        new = new_job(drop.client, body, content=content, buckets=self._buckets)
        if failed := forbidden(row, new.request.model, new.request.needs):
            raise failed
        return new

    async def _content(self, client: str, body: Json) -> Any:
        upload = body.get("upload")
        return await self._uploads.read(client, upload) if isinstance(upload, str) else None

    async def _do(
        self,
        drop: Drop,
        window: Window,
        point: Checkpoint,
        ended: Ended,
        number: int,
        ends: int,
    ) -> tuple[Checkpoint, Ended]:
        """Keep and send a window's jobs, and write down that it is done with."""
        asked = [(new, drop.idempotency_key(line)) for line, new in window.jobs]
        found = await self._accepting.accept(asked)
        kept = [one for one in found if isinstance(one, Kept)]
        said = list(window.said)
        for (line, _), one in zip(window.jobs, found, strict=True):
            if not isinstance(one, Kept):
                said.append(notes.said(line, one.message))
        point = Checkpoint(
            read_to=ends,
            line=number,
            jobs=point.jobs + len(kept),
            refused=point.refused + len(said),
            said=(*point.said, *said)[: notes.MOST_SAID],
        )
        await self._checkpoints.keep(drop, point)
        accepted = ended.accepted + sum(not one.before for one in kept)
        return point, replace(ended, accepted=accepted, refused=ended.refused + len(said))
