"""A model's line of jobs that wait for a batch: one call at a time puts one together of it.

lane#MODEL      holder, lease       who does, and until when nobody else may
                most                jobs that the next batch may have, after Claude refused so many
                refusals            batches that Claude refused, one after the other
                resting             until when whose jobs are passed over, by client
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from claude_core.jobs.claims import Held
from claude_core.jobs.rows import Rows
from claude_core.row import Item

MOST_JOBS = 10_000


@dataclass(slots=True)
class Line:
    """A line that is held, and what is known of it; changed by its holder, and noted in the end."""

    model: str
    holder: str
    most: int = MOST_JOBS
    refusals: int = 0
    resting: dict[str, float] = field(default_factory=dict)
    """Clients without the money, or the permission for now. One whose rest is over has few jobs
    taken at first: else all of them would be claimed and put back each time."""

    def accepted(self) -> None:
        """Claude has taken a batch."""
        self.refusals, self.most = 0, min(MOST_JOBS, self.most * 2)


class Lines:
    """Reads and writes their rows. Every method raises AwsUnreachable."""

    def __init__(self, rows: Rows, now: Callable[[], float]) -> None:
        self._rows, self._now = rows, now

    async def take(self, model: str, holder: str, *, lease_s: float) -> Line | Held:
        """Hold a line that nobody holds."""
        values: Item = {
            ":holder": {"S": holder},
            ":now": {"N": str(self._now())},
            ":lease": {"N": str(int(self._now() + lease_s))},
        }
        taken, item = await self._rows.update(
            f"lane#{model}",
            "SET holder = :holder, lease = :lease",
            "attribute_not_exists(lease) OR lease < :now OR holder = :holder",
            values,
            {},
        )
        if not taken:
            return Held(max(0.0, float(item["lease"]["N"]) - self._now()))
        resting = item.get("resting", {}).get("M", {})
        return Line(
            model,
            holder,
            int(item.get("most", {}).get("N", MOST_JOBS)),
            int(item.get("refusals", {}).get("N", 0)),
            {client: float(until["N"]) for client, until in resting.items()},
        )

    async def leave(self, line: Line, *, free_at: float) -> None:
        """Note what is known of it, and let go of it at that time."""
        resting = {client: {"N": str(int(until))} for client, until in line.resting.items()}
        values: Item = {
            ":holder": {"S": line.holder},
            ":lease": {"N": str(int(free_at))},
            ":most": {"N": str(line.most)},
            ":refusals": {"N": str(line.refusals)},
            ":resting": {"M": resting},
        }
        await self._rows.update(
            f"lane#{line.model}",
            "SET lease = :lease, #most = :most, refusals = :refusals, resting = :resting",
            "holder = :holder",
            values,
            {"#most": "most"},
        )
