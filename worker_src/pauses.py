"""What one worker learns of Claude's limits, told to all: a row for each model line."""

from collections.abc import Callable

from claude_core.jobs.rows import Rows
from worker_src.governor import Governor

SHORTEST_S = 1.0
"""A pause that is over sooner is not worth a write."""
KEPT_S = 86_400


class Pauses:
    """Writes and reads `pause#MODEL` in the jobs table. Methods raise AwsUnreachable."""

    def __init__(self, rows: Rows, governor: Governor, now: Callable[[], float]) -> None:
        self._rows, self._governor, self._now = rows, governor, now
        self._told: dict[str, float] = {}

    async def tell(self, model: str, pause_s: float) -> None:
        """Tell the others until when a line is paused, unless they know of a longer one."""
        until = self._now() + pause_s
        if pause_s < SHORTEST_S or until <= self._told.get(model, 0.0) + SHORTEST_S:
            return
        self._told[model] = until
        await self._rows.update(
            f"pause#{model}",
            "SET #until = :until, expires_at = :expires",
            "attribute_not_exists(#until) OR #until < :until",
            {":until": {"N": f"{until:.3f}"}, ":expires": {"N": str(int(until) + KEPT_S)}},
            {"#until": "until"},
        )

    async def hear(self) -> None:
        """Learn of what others were told."""
        for model, line in [*self._governor.lines.items()]:  # more may come meanwhile
            if found := await self._rows.read(f"pause#{model}"):
                line.pause(float(found["until"]["N"]))
