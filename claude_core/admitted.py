"""Who may go on, and what was taken for it: what the budget answers with."""

from dataclasses import dataclass

from claude_core.limits import Limits
from claude_core.reservation import Reservation
from claude_core.row import Row


@dataclass(frozen=True, slots=True)
class Admitted:
    """A client that may go on: its row after the write, and its limits."""

    row: Row
    limits: Limits


@dataclass(frozen=True, slots=True)
class Reserved(Admitted):
    """A client that may spend, and the money that was taken for it."""

    held: Reservation
