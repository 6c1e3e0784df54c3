"""What is said of a submission when the command ends."""

from collections.abc import Iterable
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from kit.board import Board, Entry
from kit.progress import parts, span
from kit.say import out, usd

FEW = 10
"""Jobs that are named one by one."""
MOST_FAILURES = 50


def sent(board: Board, command: str) -> None:
    """Everything is submitted, and nobody waits."""
    out.print(_submitted(board))
    named = [entry for entry in board.entries if entry.job_id]
    if len(named) <= FEW:
        for entry in named:
            state = "" if entry.status == "queued" else f"  {entry.status}"
            out.print(f"{entry.job_id}  [dim]{escape(entry.name)}{state}[/]")
    if named:
        look = f"kit jobs show {named[0].job_id}" if len(named) == 1 else "kit jobs list"
        out.print(f"[dim]look: {look}   wait: {escape(command)} --wait[/]")


def waited(board: Board, took_s: float, folder: Path | None) -> None:
    """All is over."""
    counts = parts(board)
    said = [f"[green]{counts['done']:,} done[/]"]
    said += [f"[red]{counts['failed']:,} failed[/]"] if counts["failed"] else []
    before = f" ({board.before:,} {_were(board.before)} there already)" if board.before else ""
    out.print(f"{', '.join(said)}{before}, {usd(board.cost_usd)}, in {span(took_s)}")
    if cut := board.cut():
        which = escape(", ".join(entry.name for entry in cut[:3])) + (", …" if cut[3:] else "")
        out.print(f"[yellow]{len(cut):,} cut at --max-tokens[/]: {which}")
    if folder and counts["done"]:
        out.print(f"answers: {escape(str(folder))}/")


def interrupted(board: Board, command: str) -> str:
    """Ctrl-C."""
    if len(board.entries) < board.total:
        rest = f"{len(board.entries):,} of {board.total:,} were submitted; the rest with"
        return f"{rest}:\n  {command}"
    return f"{len(board.open):,} jobs go on without you; come back with:\n  {command}"


def failures(board: Board) -> None:
    """Which documents have no answer, and why."""
    ended = list(board.unanswered())
    out.print(_table(ended[:MOST_FAILURES]))
    if (more := len(ended) - MOST_FAILURES) > 0:
        out.print(f"[dim]and {more:,} more; all of them: --json[/]")
    if any(entry.job_id for entry in ended):
        out.print("[dim]once more: the same command with --retry[/]")


def _table(entries: Iterable[Entry]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("document", overflow="fold")
    table.add_column("job", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("reason", overflow="fold")
    for entry in entries:
        state = f"[red]{entry.status}[/]"
        table.add_row(escape(entry.name), entry.job_id or "-", state, escape(entry.reason))
    return table


def _submitted(board: Board) -> str:
    count = f"{board.total:,} document{'s' if board.total != 1 else ''}"
    said = [f"[green]{board.new:,} new[/]"] if board.new or not board.before else []
    said += [f"{board.before:,} {_were(board.before)} there already"] if board.before else []
    refused = board.total - board.new - board.before
    return f"{count}: {', '.join([*said, *([f'[red]{refused:,} refused[/]'] if refused else [])])}"


def _were(count: int) -> str:
    return "was" if count == 1 else "were"
