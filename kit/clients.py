"""`kit clients`: who may call, with how much money and which models."""

import datetime as dt
import difflib
import json
from dataclasses import asdict
from typing import Annotated

import typer

from claude_core.extras import EXTRAS, NAME, NEVER, UNKNOWN
from kit.client import Client, table
from kit.deployment import Deployment
from kit.erase import erase
from kit.options import Json, deployed
from kit.plan import Plan
from kit.rows import Clients
from kit.say import Stop, err, out

app = typer.Typer(no_args_is_help=True, help="Who may call, with how much money and which models.")
Name = Annotated[str, typer.Argument(help="The client's name, or its id.")]


@app.command(epilog="Example: kit clients add shop --budget 50 --models fast,balanced")
@deployed
def add(
    deployment: Deployment,
    name: Annotated[str, typer.Argument(help="What to call it, for people.")],
    budget: Annotated[float, typer.Option(help="USD a month.")] = 20.0,
    rpm: Annotated[int, typer.Option(help="Requests a minute.")] = 60,
    models: Annotated[
        str, typer.Option(help="Roles or model ids, with commas between.")
    ] = "fast,balanced,deep",
    cache_prompts: Annotated[
        bool, typer.Option("--cache-prompts", help="Mark its long prompts for Claude's cache.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a client and print its key, once: alone on standard output, all else beside it."""
    plan = Plan(budget, rpm, _list(models))
    key = Clients(deployment).add(name, plan, cache_prompts=cache_prompts)
    if not as_json:
        may = f"{budget:g} USD a month, {rpm} requests a minute, {', '.join(plan.models or ())}"
        err.print(f"{name}: {may}", markup=False)
    _show(name, key, as_json)


@app.command("list", epilog="Example: kit clients list --json | jq '.[].left_usd'")
@deployed
def list_clients(deployment: Deployment, as_json: Json = False) -> None:
    """Every client: budget, what is spent, reserved and left of it this month, models, keys."""
    now = dt.datetime.now(dt.UTC)
    found = [Client.of(row, now) for row in Clients(deployment).all()]
    if as_json:
        print(json.dumps([asdict(client) for client in found], indent=2))
    elif found:
        out.print(table(found, now))
    else:
        out.print("no clients yet; run: kit clients add NAME")


@app.command("set", epilog="Example: kit clients set shop --budget 100 --rpm 300")
@deployed
def set_plan(
    deployment: Deployment,
    name: Name,
    budget: Annotated[float | None, typer.Option(help="USD a month, this one included.")] = None,
    rpm: Annotated[int | None, typer.Option(help="Requests a minute.")] = None,
    models: Annotated[
        str | None, typer.Option(help="Roles or model ids, with commas between.")
    ] = None,
) -> None:
    """Change a client's budget, rate or models, from the next call on."""
    plan = Plan(budget, rpm, None if models is None else _list(models))
    clients = Clients(deployment)
    clients.set(name, plan)
    one = Client.of(clients.find(name), dt.datetime.now(dt.UTC))
    may = f"{one.budget_usd:g} USD a month, {one.rpm} requests a minute, {', '.join(one.models)}"
    out.print(f"{one.name}: {may}", markup=False)


@app.command(epilog="Example: kit clients allow shop web_search   (or: --off)")
@deployed
def allow(
    deployment: Deployment,
    name: Name,
    field: Annotated[str, typer.Argument(help="What the refusal named: speed, web_search, …")],
    off: Annotated[bool, typer.Option("--off", help="Refuse it again.")] = False,
) -> None:
    """Let a client send what costs more, or reaches elsewhere; it is reserved at its dearest."""
    if field in NEVER:
        raise Stop(f"{field}: {NEVER[field]}; it cannot be allowed", code=2)
    if not NAME.fullmatch(field):
        raise Stop(f"{field!r} is no field of the Messages API; {_KNOWN}", code=2)
    close = difflib.get_close_matches(field, EXTRAS) if field not in EXTRAS else []
    if close:
        raise Stop(f"{field}: did you mean {close[0]}?", code=2)
    Clients(deployment).set_extra(name, field, not off)
    if off:
        out.print(f"{name}: {field} is refused", markup=False)
        return
    extra = EXTRAS.get(field, UNKNOWN)
    out.print(f"{name} may use {field}: {extra.why}.", markup=False)
    out.print(f"Reserved: {extra.priced}.", markup=False)


@app.command(epilog="Example: kit clients purge shop --yes")
@deployed
def purge(
    deployment: Deployment,
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Also while calls are open, whose cost is lost then.")
    ] = False,
) -> None:
    """Erase a client: its keys end at once, its budget is free again, its history is gone."""
    row = Clients(deployment).find(name)
    if not yes and not typer.confirm(f"Erase {row.name} ({row.id}) and its history?"):
        raise Stop("nothing was erased")
    days = erase(deployment, row, force=force)
    out.print(f"{row.name} is erased, and {days} days of its history", markup=False)


@app.command(epilog="Example: kit clients disable shop")
@deployed
def disable(deployment: Deployment, name: Name) -> None:
    """Refuse every call of a client, from the next one on."""
    Clients(deployment).set_disabled(name, True)
    out.print(f"{name} is disabled; back with: kit clients enable", markup=False)


@app.command(epilog="Example: kit clients enable shop")
@deployed
def enable(deployment: Deployment, name: Name) -> None:
    """Let a disabled client call again."""
    Clients(deployment).set_disabled(name, False)
    out.print(f"{name} is enabled", markup=False)


@app.command(epilog="Example: kit clients cache shop   (or: --off)")
@deployed
def cache(
    deployment: Deployment,
    name: Name,
    off: Annotated[bool, typer.Option("--off", help="Leave prompts as they come.")] = False,
) -> None:
    """Mark a client's long prompts for Claude's cache: reads cost a tenth or less, writes 1.25x."""
    Clients(deployment).set_cache_prompts(name, not off)
    said = "prompts stay as they come" if off else "long prompts are cached for five minutes"
    out.print(f"{name}: {said}", markup=False)


@app.command(epilog="Example: kit clients rotate shop, then, later: --drop-old")
@deployed
def rotate(
    deployment: Deployment,
    name: Name,
    drop_old: Annotated[
        bool, typer.Option("--drop-old", help="End the old key; make no new one.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Give a client a second key, under the same budget; the old one works until --drop-old."""
    clients = Clients(deployment)
    if drop_old:
        clients.drop_old_key(name)
        out.print(f"{name}: only the newest key works now", markup=False)
        return
    _show(name, clients.rotate(name), as_json)
    if not as_json:
        err.print("The old key works until: kit clients rotate NAME --drop-old")


_KNOWN = f"those that can be allowed: {', '.join(EXTRAS)}"


def _list(models: str) -> list[str]:
    return [model.strip() for model in models.split(",") if model.strip()]


def _show(name: str, key: str, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"name": name, "key": key}))
        return
    print(key)
    err.print("[dim]This key is shown once and stored nowhere: keep it now.[/]")
