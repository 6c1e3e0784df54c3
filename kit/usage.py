"""`kit usage`: what was used and what it cost: a table, a picture, CSV, or beside the console."""

import csv
import datetime as dt
import json
import sys
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from claude_core.models import NANO
from kit import draw, reconcile
from kit.deployment import Deployment
from kit.options import Json, deployed
from kit.say import Stop, out
from kit.used import Used, used


@deployed
def usage(
    deployment: Deployment,
    days: Annotated[int, typer.Option(help="So many days, today included.")] = 30,
    client: Annotated[str | None, typer.Option(help="Only this client.")] = None,
    plot: Annotated[bool, typer.Option("--plot", help="Draw the cost of each day.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="A line a client, day and model.")] = False,
    as_json: Json = False,
    report: Annotated[
        Path | None,
        typer.Option("--reconcile", metavar="FILE", help="A cost report of the Claude console."),
    ] = None,
    api_key: Annotated[
        str | None, typer.Option(help="With --reconcile: the kit's key, as the report names it.")
    ] = None,
    workspace: Annotated[
        str | None, typer.Option(help="With --reconcile: the kit's workspace.")
    ] = None,
) -> None:
    """What each client used, by model and day: calls, tokens, cost."""
    if not 1 <= days <= 400:
        raise Stop(f"--days {days}: must be 1 to 400; nothing is kept for longer", code=2)
    if report:
        _reconcile(deployment, reconcile.read(report, api_key=api_key, workspace=workspace))
        return
    today = dt.datetime.now(dt.UTC).date()
    found = used(deployment, since=today - dt.timedelta(days=days - 1), client=client)
    if as_csv:
        _write_csv(found)
    elif as_json:
        print(json.dumps([_row(one) for one in found], indent=2))
    elif not found:
        out.print(f"nothing was used in the last {days} days")
    elif plot:
        _draw(found)
    else:
        out.print(_table(found))


def _row(one: Used) -> dict[str, object]:
    row = asdict(one)
    row["cost_usd"] = row.pop("cost") / NANO
    return row


def _write_csv(found: list[Used]) -> None:
    lines = csv.writer(sys.stdout, lineterminator="\n")
    lines.writerow(("day", "client", "model", "calls", "input", "cached", "output", "cost_usd"))
    for one in found:
        counts = (one.calls, one.input, one.cached, one.output)
        lines.writerow((one.day, one.client, one.model, *counts, f"{one.usd:.9f}"))


def _draw(found: list[Used]) -> None:
    by: dict[str, Callable[[Used], str]] = {
        "client": lambda one: one.client,
        "model": lambda one: one.model,
    }
    for title, key in by.items():
        costs: dict[str, dict[str, int]] = {}
        for one in found:
            of_day = costs.setdefault(one.day, {})
            of_day[key(one)] = of_day.get(key(one), 0) + one.cost
        out.print(draw.days(f"USD a day, by {title}", costs))


def _table(found: list[Used]) -> Table:
    sums: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * 5)
    together = [0] * 5
    for one in found:
        for at, count in enumerate((one.calls, one.input, one.cached, one.output, one.cost)):
            sums[one.client, one.model][at] += count
            together[at] += count
    digits = draw.digits(together[-1])
    first, last = found[0].day, found[-1].day
    title = f"{first} to {last}" if first != last else first
    table = Table(box=None, pad_edge=False, header_style="bold", title=title, title_justify="left")
    for name in ("client", "model", "calls", "input", "of it cached", "output", "USD"):
        table.add_column(name, justify="left" if name in ("client", "model") else "right")
    for (client, model), counts in sorted(sums.items()):
        table.add_row(escape(client), model, *_numbers(counts, digits))
    table.add_section()
    table.add_row("[bold]together[/]", "", *_numbers(together, digits))
    return table


def _numbers(counts: list[int], digits: int) -> list[str]:
    *tokens, cost = counts
    return [*(f"{number:,}" for number in tokens), f"{cost / NANO:,.{digits}f}"]


def _reconcile(deployment: Deployment, report: reconcile.Report) -> None:
    first, last = report.days
    ours: defaultdict[tuple[str, str], int] = defaultdict(int)
    for one in used(deployment, since=dt.date.fromisoformat(first)):
        if one.day <= last:
            ours[one.day, one.model] += one.cost
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("day", "model", "kit", "console", "drift", ""):
        table.add_column(name, justify="left" if name in ("day", "model") else "right")
    total = sum(ours.values()), sum(report.costs.values())
    digits = draw.digits(max(total))
    for key in sorted({*ours, *report.costs}):
        drift = _drift(ours.get(key, 0), report.costs.get(key, 0), digits)
        table.add_row(key[0], escape(key[1]), *drift)
    table.add_section()
    table.add_row("[bold]together[/]", "", *_drift(*total, digits))
    out.print(table)
    if report.others:
        left_out = sum(report.others.values()) / NANO
        out.print(f"[dim]left out: {left_out:,.2f} USD of {escape(', '.join(report.others))}[/]")


def _drift(ours: int, theirs: int, digits: int) -> tuple[str, str, str, str]:
    drift = ours - theirs
    share = f"{drift / theirs:+.2%}" if theirs else "not in the report" if drift else ""
    color = "green" if abs(drift) <= theirs // 100 else "red"
    shown = f"[{color}]{drift / NANO:+,.{digits}f}[/]"
    return f"{ours / NANO:,.{digits}f}", f"{theirs / NANO:,.{digits}f}", shown, share
