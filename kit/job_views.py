"""Jobs as people want to see them."""

import datetime as dt

from rich.console import Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from claude_core.models import MODELS
from claude_core.wire import Json
from kit.board import reason_of
from kit.progress import span
from kit.say import usd

STYLES = {
    "done": "green",
    "failed": "red",
    "dead": "red",
    "running": "cyan",
    "batched": "cyan",
    "cancelled": "yellow",
}
ROLES = {model.id: model.role for model in MODELS if model.role}
WIDE = 120
"""Columns from which on the lane and the model are there, too."""


def table(jobs: list[Json], *, width: int, now: dt.datetime | None = None) -> Table:
    """A line a job, with as much of it as there is room for."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    asked = ("lane", "model") if width >= WIDE else ()
    for title in ("job", "status", *asked, "age", "cost"):
        right = title in ("age", "cost")
        made.add_column(title, justify="right" if right else "left", no_wrap=True)
    made.add_column("document", overflow="fold")
    for job in jobs:
        model = ROLES.get(job["model"], job["model"])
        made.add_row(
            job["job_id"],
            Text(job["status"], STYLES.get(job["status"], "")),
            *((job["lane"], model) if asked else ()),
            _age(job, now),
            usd(job["cost_usd"]) if "cost_usd" in job else "",
            _about(job),
        )
    return made


def _about(job: Json) -> str:
    reason, about = reason_of(job), escape(job.get("doc_id", "-"))
    if job.get("stop_reason") == "max_tokens":
        return f"{about} [yellow](cut at max_tokens)[/]"
    return f"{about} [red]{escape(reason)}[/]" if reason and job.get("error") else about


def shown(job: Json, now: dt.datetime | None = None) -> Group:
    """All that is known of one, but for its answer."""
    status = Text(job["status"], f"bold {STYLES.get(job['status'], '')}".strip())
    if job.get("stop_reason") == "max_tokens":
        status.append(", cut at max_tokens", "yellow")
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in _facts(job, now).items():
        if value:
            grid.add_row(name, escape(value))
    return Group(Text.assemble(job["job_id"], "  ", status), grid)


def _facts(job: Json, now: dt.datetime | None) -> dict[str, str]:
    created, finished = job["created_at"], job.get("finished_at")
    took = f", after {span(_time(finished) - _time(created))}" if finished else ""
    used = job.get("usage") or {}
    tokens = f"{used.get('input_tokens', 0):,} in, {used.get('output_tokens', 0):,} out"
    attempts = job.get("attempts", 0)
    return {
        "document": job.get("doc_id", ""),
        "asked": f"{job['model']}, lane {job['lane']}",
        "created": f"{_short(created)}, {_age(job, now)} ago",
        "finished": f"{_short(finished)}{took}" if finished else "",
        "attempts": str(attempts) if attempts > 1 else "",
        "used": f"{tokens}, {usd(job['cost_usd'])}" if "cost_usd" in job else "",
        "why": reason_of(job),
    }


def _age(job: Json, now: dt.datetime | None) -> str:
    """In the largest unit that matters."""
    seconds = (now or dt.datetime.now(dt.UTC)).timestamp() - _time(job["created_at"])
    for unit, long in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= long:
            return f"{int(seconds // long)} {unit}"
    return f"{max(0, int(seconds))} s"


def _time(text: str) -> float:
    return dt.datetime.fromisoformat(text).timestamp()


def _short(text: str) -> str:
    return f"{dt.datetime.fromisoformat(text):%Y-%m-%d %H:%M:%S} UTC"
