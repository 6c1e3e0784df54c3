"""The writes that close a reservation."""

import datetime as dt

from claude_core import history
from claude_core.reservation import Reservation, Spent, taken_at
from claude_core.row import Item, month_of


def settlement(held: Reservation, spent: Spent, gone: list[str], now: dt.datetime) -> Item:
    """The update that closes a reservation and drops the attributes that are `gone`."""
    names = {"#left": f"left_{held.month}", "#spent": f"spent_{held.month}"}
    names |= {"#open": "open", "#id": held.id}
    values: Item = {
        ":back": {"N": str(held.cost - spent.cost)},
        ":cost": {"N": str(spent.cost)},
        ":none": {"N": "0"},
    }
    removed, added = ["#open.#id"], []
    for at, name in enumerate(gone):
        names[f"#gone{at}"] = name
        removed.append(f"#gone{at}")
    used = history.counts(now, spent.model, spent.usage, spent.cost, held.calls)
    for at, (name, number) in enumerate(used.items() if spent.cost else ()):
        names[f"#use{at}"], values[f":use{at}"] = name, {"N": str(number)}
        added.append(f"#use{at} :use{at}")
    if spent.guessed:
        names["#guessed"] = f"guessed_{held.month}"
        values[":guessed"] = {"N": str(spent.guessed)}
        added.append("#guessed :guessed")
    return {
        "UpdateExpression": (
            "SET #left = if_not_exists(#left, :none) + :back, "
            "#spent = if_not_exists(#spent, :none) + :cost "
            f"REMOVE {', '.join(removed)}" + (f" ADD {', '.join(added)}" if added else "")
        ),
        "ConditionExpression": "attribute_exists(#open.#id)",
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }


def given_back(id: str) -> Item:
    """The update that closes a reservation of which nothing was spent, whatever it had taken."""
    return {
        "UpdateExpression": "SET #left = #left + #open.#id REMOVE #open.#id",
        "ConditionExpression": "attribute_exists(#open.#id)",
        "ExpressionAttributeNames": {
            "#left": f"left_{month_of(taken_at(id))}",
            "#open": "open",
            "#id": id,
        },
    }
