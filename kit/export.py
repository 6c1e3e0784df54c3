"""All of a client's jobs, written to a file as they are read."""

import csv
import json
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import TextIO

from claude_core.jobs.job import Status
from claude_core.wire import Json
from kit.board import reason_of
from kit.job_api import JobApi
from kit.say import Stop
from kit.together import each

STDOUT = "-"
COLUMNS = (
    *("job_id", "status", "lane", "model", "doc_id", "created_at", "finished_at", "attempts"),
    *("stop_reason", "cost_usd", "error"),
)


async def write(
    api: JobApi, file: str, status: str | None, seen: Callable[[int], None] = lambda count: None
) -> int:
    """Write them, the newest first: JSON lines with results, or CSV without.

    A file is there when all is in it, not before.

    Returns:
        How many.

    Raises:
        Stop: the file cannot be written.
    """
    to = Path(file)
    partly = to.with_name(f".{to.name}.part")
    try:
        with nullcontext(sys.stdout) if file == STDOUT else _opened(partly) as lines:
            written = await _all(api, lines, status, seen, as_csv=to.suffix == ".csv")
        if file != STDOUT:
            partly.replace(to)
    finally:
        if file != STDOUT:
            partly.unlink(missing_ok=True)
    return written


def _opened(path: Path) -> TextIO:
    try:
        return path.open("w", encoding="utf-8", newline="")
    except OSError as err:
        raise Stop(f"{path.parent}: cannot be written: {err.strerror}", code=2) from err


async def _all(
    api: JobApi,
    lines: TextIO,
    status: str | None,
    seen: Callable[[int], None],
    *,
    as_csv: bool,
) -> int:
    count, rows = 0, csv.DictWriter(lines, COLUMNS, extrasaction="ignore", lineterminator="\n")
    if as_csv:
        rows.writeheader()
    async with api:
        async for page in api.pages(status=status):
            if as_csv:
                rows.writerows({**job, "error": reason_of(job)} for job in page.jobs)
            else:
                whole = await _with_results(api, page.jobs)
                lines.writelines(f"{json.dumps(job, ensure_ascii=False)}\n" for job in whole)
            count += len(page.jobs)
            seen(count)
    return count


async def _with_results(api: JobApi, jobs: list[Json]) -> list[Json]:
    whole = list(jobs)

    async def one(at: int) -> None:
        if whole[at]["status"] == Status.DONE:
            whole[at] = await api.get(whole[at]["job_id"]) or whole[at]

    await each(range(len(jobs)), one)
    return whole
