"""A model's line of jobs that wait for a batch: one call at a time puts one together of it.

lane#MODEL      holder, lease       who does, and until when nobody else may
                due                 when a wake-up comes that was sent by then: until then no other
                                    one need be kept
                most                jobs that the next batch may have, after Claude refused so many
                refusals            batches that Claude refused, one after the other
                resting             until when whose jobs are passed over, by client
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from claude_core.jobs.rows import Rows
from claude_core.row import Item

MOST_JOBS = 10_000
SURE_S = 5.0
"""A wake-up that is due no later may be here already, and look before what comes now."""


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


@dataclass(frozen=True, slots=True)
class Busy:
    """Somebody else holds the line."""

    left_s: float
    looked_after: bool
    """A wake-up is on its way that comes later than this one."""


class Lines:
    """Reads and writes their rows. Every method raises AwsUnreachable."""

    def __init__(self, rows: Rows, now: Callable[[], float]) -> None:
        self._rows, self._now = rows, now

    async def take(self, model: str, holder: str, *, lease_s: float) -> Line | Busy:
        """Hold a line that nobody holds."""
        now = self._now()
        values: Item = {
            ":holder": {"S": holder},
            ":now": {"N": str(now)},
            ":lease": {"N": str(int(now + lease_s))},
        }
        taken, item = await self._rows.update(
            f"lane#{model}",
            "SET holder = :holder, lease = :lease REMOVE due",
            "attribute_not_exists(lease) OR lease < :now OR holder = :holder",
            values,
            {},
        )
        if not taken:
            due = float(item.get("due", {"N": "0"})["N"])
            return Busy(max(0.0, float(item["lease"]["N"]) - now), due > now + SURE_S)
        resting = item.get("resting", {}).get("M", {})
        return Line(
            model,
            holder,
            int(item.get("most", {}).get("N", MOST_JOBS)),
            int(item.get("refusals", {}).get("N", 0)),
            {client: float(until["N"]) for client, until in resting.items()},
        )

    async def expect(self, model: str, due: float) -> None:
        """Note that a wake-up comes, which was sent."""
        await self._rows.update(
            f"lane#{model}",
            "SET due = :due",
            "attribute_not_exists(due) OR due < :due",
            {":due": {"N": str(int(due))}},
            {},
        )

    async def leave(self, line: Line, *, free_at: float, due: float | None) -> None:
        """Note what is known of it, and let go of it at that time.

        Args:
            due: when the wake-up comes that was sent for then.
        """
        resting = {client: {"N": str(int(until))} for client, until in line.resting.items()}
        values: Item = {
            ":holder": {"S": line.holder},
            ":lease": {"N": str(int(free_at))},
            ":most": {"N": str(line.most)},
            ":refusals": {"N": str(line.refusals)},
            ":resting": {"M": resting},
            ":due": {"N": str(int(due or 0))},
        }
        await self._rows.update(
            f"lane#{line.model}",
            "SET lease = :lease, #most = :most, refusals = :refusals, resting = :resting, "
            "due = :due",
            "holder = :holder",
            values,
            {"#most": "most"},
        )
