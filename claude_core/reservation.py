"""Money that was taken before it is spent: what a reservation is, and what it came to."""

import datetime as dt
import secrets
from dataclasses import asdict, dataclass
from typing import Any

from claude_core.models import Model
from claude_core.usage import Usage

BATCH = "-batch"
"""In the id of a reservation that a record of its own settles, however long that takes."""

NOTHING = Usage()


@dataclass(frozen=True, slots=True)
class Reservation:
    """Money taken from one client for one call, or for several at once."""

    id: str
    client: str
    month: str
    """The month that it was taken from, and is given back to, as 2026_11."""
    cost: int
    """Nano-dollars."""
    calls: int = 1

    def to_json(self) -> dict[str, Any]:
        """For a record that outlives the process, such as a batch's."""
        return asdict(self)

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> "Reservation":
        return cls(**record)


@dataclass(frozen=True, slots=True)
class Spent:
    """What a call came to."""

    model: Model
    cost: int
    """Nano-dollars."""
    usage: Usage = NOTHING
    guessed: int = 0
    """Nano-dollars of it for a speculative answer that was not used."""


@dataclass(slots=True)
class Guess:
    """A speculative call: made before it is known whether its answer will be used."""

    wanted: bool = False


def new_id(now: dt.datetime, *, batch: bool = False) -> str:
    """A reservation's id: when, in hexadecimal seconds, and 48 random bits."""
    return f"{int(now.timestamp()):08x}{BATCH if batch else ''}-{secrets.token_urlsafe(6)}"


def taken_at(id: str) -> dt.datetime:
    """When an id was made; its month is the one that is charged."""
    return dt.datetime.fromtimestamp(int(id[:8], 16), dt.UTC)
