"""`kit budget`: all clients' money together, the switch that stops them, what is unsettled."""

import datetime as dt
import json
from typing import Annotated, Literal

import typer
from rich.markup import escape
from rich.table import Table

from claude_core.admission import usd
from claude_core.models import NANO
from claude_core.row import month_of
from kit.deployment import Deployment
from kit.options import Json, deployed
from kit.rows import Clients
from kit.say import Stop, ago, out
from kit.unsettled import Open, release, unsettled
from kit.whole import Whole, Write

app = typer.Typer(no_args_is_help=True, help="All clients' money, and the switch that stops them.")


@app.command(epilog="Example: kit budget show --json")
@deployed
def show(deployment: Deployment, as_json: Json = False) -> None:
    """What may be handed out, what is, and what this month has cost so far."""
    whole, month = Clients(deployment).ledger.read(), month_of(dt.datetime.now(dt.UTC))
    amounts = {
        "cap": whole.cap,
        "handed_out": whole.handed_out,
        "spent": sum(row.spent(month) for row in whole.rows),
        "reserved": sum(row.reserved(month) for row in whole.rows),
    }
    if as_json:
        money = {
            f"{name}_usd": None if amount is None else amount / NANO
            for name, amount in amounts.items()
        }
        print(json.dumps(money | {"clients": len(whole.rows), "stopped": whole.stopped}))
        return
    cap = "no cap; set one with: kit budget cap USD" if whole.cap is None else usd(whole.cap)
    out.print(f"may be handed out  {cap}", markup=False)
    out.print(f"handed out         {usd(whole.handed_out)} a month to {len(whole.rows)} clients")
    out.print(f"spent              {usd(amounts['spent'] or 0)} in {month.replace('_', '-')}")
    out.print(f"reserved           {usd(amounts['reserved'] or 0)} for open calls")
    if whole.stopped:
        out.print("[red]all calls are stopped[/]; back with: kit budget resume")


@app.command(epilog="Example: kit budget cap 500   (or: kit budget cap none)")
@deployed
def cap(
    deployment: Deployment,
    amount: Annotated[str, typer.Argument(metavar="USD", help="USD a month, or none.")],
) -> None:
    """Bound what all clients' budgets together may come to."""
    ledger = Clients(deployment).ledger
    if amount == "none":
        ledger.change(lambda whole: [], cap=None)
        out.print("no cap: every client gets what it is given")
        return
    try:
        nano = round(float(amount) * NANO)
    except (ValueError, OverflowError) as wrong:
        raise Stop(f"{amount!r} is no amount in USD; try: kit budget cap 500", code=2) from wrong
    if nano <= 0:
        raise Stop(f"{amount}: must be above 0; to serve nobody: kit budget stop", code=2)

    def enough(whole: Whole) -> list[Write]:
        if whole.handed_out > nano:
            raise Stop(
                f"{usd(whole.handed_out)} are handed out already; lower one first: kit clients set"
            )
        return []

    ledger.change(enough, cap={"N": str(nano)})
    out.print(f"all clients' budgets together may come to {usd(nano)} a month")


@app.command(epilog="Example: kit budget stop --env prod")
@deployed
def stop(deployment: Deployment) -> None:
    """Refuse every call of every client, from now on; what is running ends by itself."""
    count = Clients(deployment).ledger.stop(True)
    out.print(f"stopped: {count} clients get a 503; back with: kit budget resume")


@app.command(epilog="Example: kit budget resume --env prod")
@deployed
def resume(deployment: Deployment) -> None:
    """Serve again; clients that were disabled one by one stay so."""
    count = Clients(deployment).ledger.stop(False)
    out.print(f"serving: {count} clients")


@app.command("unsettled", epilog="Example: kit budget unsettled")
@deployed
def list_unsettled(deployment: Deployment, as_json: Json = False) -> None:
    """Money that is taken and not settled: calls on their way, and what crashes left behind."""
    found = list(unsettled(Clients(deployment).all(), dt.datetime.now(dt.UTC)))
    if as_json:
        print(json.dumps([_to_json(one) for one in found], indent=2))
    elif found:
        out.print(_table(found))
        out.print("[dim]give back: kit budget release ID, or --all that is left behind[/]")
    else:
        out.print("everything is settled")


@app.command("release", epilog="Example: kit budget release --all")
@deployed
def release_some(
    deployment: Deployment,
    ids: Annotated[list[str] | None, typer.Argument(metavar="ID", help="As listed.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="All that was left behind; no batches.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Also what may yet be settled: it would be free then.")
    ] = False,
) -> None:
    """Give money back that a crash left behind, once you know that Claude has not charged it."""
    clients, wanted = Clients(deployment), set(ids or ())
    found = {one.id: one for one in unsettled(clients.all(), dt.datetime.now(dt.UTC))}
    if everything == bool(wanted):
        raise Stop("name reservations, or give --all; see: kit budget unsettled", code=2)
    if unknown := sorted(wanted - found.keys()):
        raise Stop(f"{unknown[0]} is not open; see: kit budget unsettled")
    chosen = [one for one in found.values() if one.left_behind or not everything]
    chosen = [one for one in chosen if everything or one.id in wanted]
    if early := [one for one in chosen if not one.left_behind and not force]:
        raise Stop(f"{early[0].id} is {early[0].state}; release it all the same with: --force")
    dynamodb, table = clients.ledger.dynamodb, clients.ledger.table
    gone = [one for one in chosen if release(dynamodb, table, one)]
    out.print(f"released {len(gone)}, {usd(sum(one.cost for one in gone))}")


def _table(found: list[Open]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("id", "client", "taken", "reserved", ""):
        justify: Literal["left", "right"] = "right" if title == "reserved" else "left"
        table.add_column(title, justify=justify, no_wrap=title == "id")
    for one in found:
        state = f"[red]{one.state}[/]" if one.left_behind else f"[dim]{one.state}[/]"
        table.add_row(one.id, escape(one.name), ago(one.age), usd(one.cost), state)
    return table


def _to_json(one: Open) -> dict[str, object]:
    return {
        "id": one.id,
        "client": one.name,
        "reserved_usd": one.cost / NANO,
        "age_s": int(one.age.total_seconds()),
        "state": one.state,
    }
