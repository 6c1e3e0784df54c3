"""`kit clients`: who may call, with how much money and which models."""

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from kit.deployment import Deployment
from kit.options import Json, deployed
from kit.rows import Client, Clients
from kit.say import out

app = typer.Typer(no_args_is_help=True, help="Who may call, with how much money and which models.")
Name = Annotated[str, typer.Argument(help="The client's name, or its id.")]


@app.command(epilog="Example: kit clients add shop --budget 50 --models fast,balanced")
@deployed
def add(
    deployment: Deployment,
    name: Annotated[str, typer.Argument(help="What to call it, for people.")],
    budget: Annotated[float, typer.Option(help="USD a month.")] = 20.0,
    models: Annotated[
        str, typer.Option(help="Roles or model ids, with commas between.")
    ] = "fast,balanced,deep",
    cache_prompts: Annotated[
        bool, typer.Option("--cache-prompts", help="Mark its long prompts for Claude's cache.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a client and print its key, once."""
    asked = [model.strip() for model in models.split(",") if model.strip()]
    key = Clients(deployment).add(
        name, budget_usd=budget, models=asked, cache_prompts=cache_prompts
    )
    if not as_json:
        out.print(f"{name}: {budget:g} USD a month, {', '.join(asked)}", markup=False)
    _show(name, key, as_json)


@app.command("list", epilog="Example: kit clients list --json | jq '.[].left_usd'")
@deployed
def list_clients(deployment: Deployment, as_json: Json = False) -> None:
    """Every client: budget, what is left this month, models, keys."""
    found = Clients(deployment).all()
    if as_json:
        print(json.dumps([asdict(client) for client in found], indent=2))
    elif found:
        out.print(_table(found))
    else:
        out.print("no clients yet; run: kit clients add NAME")


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
        out.print("The old key works until: kit clients rotate NAME --drop-old")


def _show(name: str, key: str, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"name": name, "key": key}))
        return
    print(key)
    out.print("[dim]This key is shown once and stored nowhere: keep it now.[/]")


def _table(clients: list[Client]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in (
        "name",
        "id",
        "left",
        "budget",
        "models",
        "open",
        "keys",
        "cache",
        "last used",
        "",
    ):
        table.add_column(title, justify="right" if title in ("left", "budget") else "left")
    for one in clients:
        table.add_row(
            one.name,
            one.id,
            f"{one.left_usd:,.2f}",
            f"{one.budget_usd:,.2f}",
            " ".join(one.models),
            str(one.open),
            str(one.keys),
            "on" if one.cache_prompts else "",
            one.last_used or "never",
            "[red]disabled[/]" if one.disabled else "",
        )
    return table
