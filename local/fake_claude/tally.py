"""What became of the requests in batches, by `custom_id`: the proof that none was paid twice."""

from collections.abc import Iterable
from typing import Any

OUTCOMES = ("succeeded", "errored", "canceled", "expired")


class Tally:
    """How often each `custom_id` was submitted, and how it ended each time."""

    def __init__(self) -> None:
        self.created = self.ended = 0
        self._by_id: dict[str, dict[str, int]] = {}

    def submit(self, custom_ids: Iterable[str]) -> None:
        """A batch of these was created, whether or not its caller was told."""
        self.created += 1
        for custom_id in custom_ids:
            counts = self._by_id.setdefault(custom_id, dict.fromkeys(("submitted", *OUTCOMES), 0))
            counts["submitted"] += 1

    def end(self, custom_id: str, outcome: str) -> None:
        self._by_id[custom_id][outcome] += 1

    def ends(self, custom_id: str) -> int:
        """How often it has ended so far, however."""
        counts = self._by_id[custom_id]
        return sum(counts[outcome] for outcome in OUTCOMES)

    def to_json(self) -> dict[str, Any]:
        """The sums, and how many ids were submitted or billed more than once."""
        rows = self._by_id.values()
        sums = {name: sum(row[name] for row in rows) for name in ("submitted", *OUTCOMES)}
        return {
            "created": self.created,
            "ended": self.ended,
            **sums,
            "submitted_again": sum(row["submitted"] > 1 for row in rows),
            "billed_again": sum(row["succeeded"] > 1 for row in rows),
        }

    def by_custom_id(self) -> dict[str, dict[str, int]]:
        """For each id how often it was submitted, ended in each way, and billed."""
        return {key: {**row, "billed": row["succeeded"]} for key, row in self._by_id.items()}
