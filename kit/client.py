"""One client as people want to see it."""

import datetime as dt
from dataclasses import dataclass

from rich.markup import escape
from rich.table import Table

from claude_core.models import NANO
from claude_core.row import Row, month_of
from kit.say import ago


@dataclass(frozen=True, slots=True)
class Client:
    """Money in USD, of this month."""

    name: str
    id: str
    budget_usd: float
    spent_usd: float
    reserved_usd: float
    left_usd: float
    rpm: int
    models: list[str]
    extras: list[str]
    open: int
    keys: int
    disabled: bool
    stopped: bool
    cache_prompts: bool
    last_used: str | None
    """ISO 8601, UTC."""

    @classmethod
    def of(cls, row: Row, now: dt.datetime) -> "Client":
        month, used = month_of(now), row.number("last_used")
        return cls(
            name=row.name,
            id=row.id,
            budget_usd=row.budget / NANO,
            spent_usd=row.spent(month) / NANO,
            reserved_usd=row.reserved(month) / NANO,
            left_usd=row.left(month) / NANO,
            rpm=row.rpm,
            models=row.models,
            extras=row.extras,
            open=len(row.open),
            keys=sum(name in row.item for name in ("key_1", "key_2")),
            disabled=row.flag("disabled"),
            stopped=row.flag("stopped"),
            cache_prompts=row.flag("cache_prompts"),
            last_used=dt.datetime.fromtimestamp(used, dt.UTC).isoformat() if used else None,
        )

    def used(self, now: dt.datetime) -> str:
        """When it last called, for people."""
        return ago(now - dt.datetime.fromisoformat(self.last_used)) if self.last_used else "never"

    @property
    def notes(self) -> str:
        """What is not as it is for most."""
        said = {
            "[red]disabled[/]": self.disabled,
            "[red]stopped[/]": self.stopped,
            f"{self.open} open": self.open,
            "two keys": self.keys > 1,
            "cached": self.cache_prompts,
            f"may use {' '.join(self.extras)}": self.extras,
        }
        return ", ".join(words for words, holds in said.items() if holds)


def table(clients: list[Client], now: dt.datetime) -> Table:
    """For the screen."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("name", "budget", "spent", "left", "rpm", "models", "last used", ""):
        right = title in ("budget", "spent", "left", "rpm")
        made.add_column(title, justify="right" if right else "left", no_wrap=bool(title))
    for one in clients:
        money = (one.budget_usd, one.spent_usd, one.left_usd)
        made.add_row(
            escape(one.name),
            *(f"{amount:,.2f}" for amount in money),
            str(one.rpm),
            " ".join(one.models),
            one.used(now),
            one.notes,
        )
    return made
