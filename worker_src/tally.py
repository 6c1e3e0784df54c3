"""What a worker counts, told once a minute: a line in the log for each job would cost too much."""

from collections import Counter

from claude_core.jobs.job import Status
from claude_core.telemetry import Telemetry

CALLS, THROTTLED = "calls_started", "calls_throttled"
ENDS = {status: f"jobs_{status}" for status in Status if status.over}
NAMES = (CALLS, THROTTLED, *ENDS.values())


class Tally:
    """Counts of one worker since they were last told."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry, self._counts = telemetry, Counter(dict.fromkeys(NAMES, 0))

    def add(self, name: str) -> None:
        self._counts[name] += 1

    def tell(self, **gauges: float) -> None:
        """Tell all counts, and begin anew."""
        counts, self._counts = self._counts, Counter(dict.fromkeys(NAMES, 0))
        self._telemetry.count(**counts, **gauges)
