"""One message batch: what was asked, where it stands, and what came of it."""

import asyncio
import datetime as dt
import random
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from local.fake_claude.errors import invalid
from local.fake_claude.script import Script
from local.fake_claude.tally import OUTCOMES

LIFE = dt.timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How batches fare. What a request comes to is looked up when it is processed, all else when
    its batch is created.
    """

    after_s: float | None = 1.0
    """From creation to the end; None holds a batch until it is told to end."""
    retrieve_404s: int = 0
    """So often it is not found at first, as the real API has it for up to a minute."""
    results_404s: int = 0
    unlisted: int = 0
    """So many lists leave it out at first."""
    outcomes: Mapping[str, Script | str] = field(default_factory=dict)
    """By custom_id: a script to follow, "expired" or "canceled"."""
    shares: Sequence[tuple[Script | str, float]] = ()
    """What happens by chance, and to which share of the requests."""
    seed: int = 0
    """Makes that chance the same each time; it is drawn anew for a request that comes again."""
    done_at_cancel: float = 0.0
    """The share of a batch's requests for which a cancellation comes too late."""


@dataclass(frozen=True, slots=True)
class Item:
    """One request of a batch."""

    custom_id: str
    params: Mapping[str, Any]


class Batch:
    """A batch from its creation until it is deleted."""

    def __init__(self, items: Sequence[Item], settings: Settings, *, beta: bool) -> None:
        self.id = f"msgbatch_{uuid.uuid4().hex[:24]}"
        self.items, self.total, self.beta = items, len(items), beta
        self.created_at = dt.datetime.now(dt.UTC)
        self.cancel_initiated_at: dt.datetime | None = None
        self.ended_at: dt.datetime | None = None
        self.lines: list[bytes] = []
        self._counts: Counter[str] = Counter()
        self._after_s = settings.after_s
        self._unseen = {
            "retrieve": settings.retrieve_404s,
            "results": settings.results_404s,
            "list": settings.unlisted,
        }
        self._go = asyncio.Event()

    def unseen(self, call: str) -> bool:
        """Whether this call does not find it yet; every call asks once."""
        self._unseen[call] -= 1
        return self._unseen[call] >= 0

    async def due(self) -> None:
        """Wait until its time is over, or it is told to end or cancelled."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._after_s):
                await self._go.wait()

    def hurry(self) -> None:
        self._go.set()

    def cancel(self) -> None:
        """Cancel what is not processed yet; one that is held stays so, and shows `canceling`."""
        if self.ended_at is not None:
            raise invalid(f"Message Batch {self.id} has already ended and cannot be canceled.")
        if self.cancel_initiated_at is None:
            self.cancel_initiated_at = dt.datetime.now(dt.UTC)
        if self._after_s is not None:
            self.hurry()

    def add(self, outcome: str, line: bytes) -> None:
        """Note the result of one request."""
        self._counts[outcome] += 1
        self.lines.append(line)

    def end(self) -> None:
        """Publish the results, in an order of their own; the requests are let go."""
        lines = list(self.lines)
        random.Random(self.total).shuffle(lines)  # nosec B311
        self.lines = lines if lines != self.lines else lines[::-1]
        self.items = ()
        self.ended_at = dt.datetime.now(dt.UTC)

    def to_json(self, base_url: str) -> dict[str, Any]:
        """The batch as the API shows it; how its requests ended is told only in the end."""
        ended = self.ended_at is not None
        counts = {name: self._counts[name] if ended else 0 for name in OUTCOMES}
        at_work = "in_progress" if self.cancel_initiated_at is None else "canceling"
        return {
            "id": self.id,
            "type": "message_batch",
            "processing_status": "ended" if ended else at_work,
            "request_counts": {"processing": 0 if ended else self.total, **counts},
            "ended_at": _stamp(self.ended_at),
            "created_at": _stamp(self.created_at),
            "expires_at": _stamp(self.created_at + LIFE),
            "archived_at": None,
            "cancel_initiated_at": _stamp(self.cancel_initiated_at),
            "results_url": f"{base_url}v1/messages/batches/{self.id}/results" if ended else None,
        }


def _stamp(at: dt.datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="microseconds").replace("+00:00", "Z")
