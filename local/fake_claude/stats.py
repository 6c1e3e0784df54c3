"""What happened since the last reset: every call, every token paid, everyone who left."""

import asyncio
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from typing import Any

from local.fake_claude.billing import Ledger
from local.fake_claude.record import Record, open_record
from local.fake_claude.tally import Tally

KEPT_REQUESTS = 1_000
KEPT_BYTES = 64 * 1024 * 1024
"""Bodies of older requests are let go beyond this; the counts stay."""
WAITABLE = (
    *("calls", "in_flight", "in_flight_at_most", "held", "left", "completions"),
    *("batches", "batches_ended"),
)
"""The counts that can be waited for."""


class Stats:
    """The counts, and the last requests themselves."""

    def __init__(self) -> None:
        self.ledger = Ledger(self.notify)
        self.batches = Tally()
        self.records: deque[Record] = deque(maxlen=KEPT_REQUESTS)
        self._calls: Counter[str] = Counter()
        self._statuses: dict[str, Counter[str]] = {}
        self._left: deque[dict[str, Any]] = deque(maxlen=KEPT_REQUESTS)
        self._left_count = self._now = self._most = self._kept_bytes = 0
        self.held = 0
        """Requests that wait for `POST /_fake/release` now."""
        self._changed = asyncio.Event()

    def open(
        self, method: str, path: str, query: str, headers: Iterable[tuple[bytes, bytes]]
    ) -> Record:
        """Count a call that has just come in."""
        record = open_record(
            method=method,
            path=path,
            query=query,
            headers=headers,
            changed=lambda: self._close(record),
        )
        if len(self.records) == KEPT_REQUESTS:
            self._let_go(self.records[0])
        self.records.append(record)
        self._calls[record.route] += 1
        self._now += 1
        self._most = max(self._most, self._now)
        self.notify()
        return record

    def keep(self, record: Record, raw: bytes) -> None:
        """Keep a request's body, at the cost of the oldest ones if need be."""
        record.raw = raw
        if record.let_go:  # so many came in while its body did
            return
        self._kept_bytes += len(raw)
        for old in self.records:
            if self._kept_bytes <= KEPT_BYTES or old is record:
                return
            if old.raw:
                self._let_go(old)

    def counts(self) -> dict[str, Any]:
        """Everything but the requests."""
        return {
            "calls": {
                route: {"total": total, "by_status": dict(self._statuses.get(route, {}))}
                for route, total in self._calls.items()
            },
            "in_flight": {"now": self._now, "max": self._most},
            "billed": self.ledger.to_json(),
            "batches": self.batches.to_json(),
            "left": {"total": self._left_count, "last": list(self._left)},
        }

    def to_json(self) -> dict[str, Any]:
        return {**self.counts(), "requests": [record.to_json() for record in self.records]}

    def notify(self) -> None:
        """Wake those who wait for a count."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def until(self, wanted: Mapping[str, int]) -> None:
        """Wait until each count is at least what is wanted, and `in_flight_at_most` at most."""
        while not all(self._reached(name, number) for name, number in wanted.items()):
            await self._changed.wait()

    def _reached(self, name: str, number: int) -> bool:
        if name == "in_flight_at_most":
            return self._now <= number
        found = {
            "calls": self._calls.total(),
            "in_flight": self._now,
            "held": self.held,
            "left": self._left_count,
            "completions": self.ledger.completions,
            "batches": self.batches.created,
            "batches_ended": self.batches.ended,
        }
        return found[name] >= number

    def _let_go(self, record: Record) -> None:
        self._kept_bytes -= len(record.raw)
        record.raw, record.let_go = b"", True

    def _close(self, record: Record) -> None:
        self._now -= 1
        statuses = self._statuses.setdefault(record.route, Counter())
        statuses[str(record.status or "none")] += 1
        if record.left_after_s is not None:
            self._left_count += 1
            self._left.append(
                {
                    "id": record.id,
                    "path": record.path,
                    "after_s": record.left_after_s,
                    "output_tokens": record.output_tokens,
                }
            )
        self.notify()
