"""The pace that Claude allows, learned for each model line: its limits are kept full, not broken.

Until Claude first says no, calls start as they come. Then so many start in a second as a token
bucket lets: fewer by a fifth whenever Claude says no, a little more with each answer, and never
more than its own headers promise. While a line is paused nothing starts; other workers hear of it
through the table (`pauses.py`).
"""

from collections import deque
from collections.abc import Callable, Mapping

from claude_core.errors import KitError

LONGEST_SLEEP_S = 5.0
"""In the process; who must wait longer goes back to the queue."""
SLOWER, FASTER = 0.8, 0.5
"""What a refusal multiplies the rate by; starts a second that a second of answers adds."""
SLOWEST = 0.2
"""Starts a second: without some, nobody would learn that it is over."""
RECENT_S = 5.0
NO_WORD_S = 2.0, 60.0
"""Pause after a refusal that names no time, and its longest when refusals go on."""


class Line:
    """One model's."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.rate: float | None = None
        """Starts a second; None while nothing has been refused."""
        self.paused_until = 0.0
        """Seconds since the epoch."""
        self._ceiling = float("inf")
        self._next_start = 0.0
        self._slowed_at = 0.0
        self._refusals = 0
        self._starts: deque[float] = deque()

    def wait_s(self) -> float:
        """Seconds until a call might start."""
        now = self._now()
        return max(0.0, self.paused_until - now, self._next_start - now if self.rate else 0.0)

    def take(self) -> float | None:
        """Seconds until the call that is taken may start; None: too long, and nothing is taken."""
        now, wait = self._now(), self.wait_s()
        if wait > LONGEST_SLEEP_S:
            return None
        if self.rate:
            self._next_start = now + wait + 1 / self.rate
        self._starts.append(now + wait)
        while self._starts[0] < now - RECENT_S:
            self._starts.popleft()
        return wait

    def answered(self, headers: Mapping[str, str]) -> None:
        """Claude has answered: a little faster, up to what its headers promise."""
        self._refusals = 0
        limit = headers.get("anthropic-ratelimit-requests-limit", "")
        if limit.isdigit():
            self._ceiling = max(SLOWEST, int(limit) / 60)
        if self.rate:
            self.rate = min(self._ceiling, self.rate + FASTER / self.rate)

    def refused(self, retry_after_s: float | None) -> float:
        """Claude has said 429 or 529: slower; seconds for which the whole line is paused."""
        now = self._now()
        self._refusals += 1
        if now - self._slowed_at >= 1:  # what was under way then tells the same once more
            self._slowed_at = now
            self.rate = min(self._ceiling, max(SLOWEST, (self.rate or self._recent(now)) * SLOWER))
        pause = retry_after_s
        if pause is None:
            first, longest = NO_WORD_S
            # One refusal among many answers pauses nobody; a row of them does.
            pause = min(longest, first * 2.0 ** (self._refusals // 10)) if self._refusals > 3 else 0
        self.pause(now + pause)
        return pause

    def pause(self, until: float) -> None:
        """Start nothing before `until`, in seconds since the epoch."""
        self.paused_until = max(self.paused_until, until)

    def _recent(self, now: float) -> float:
        return max(1.0, sum(1 for start in self._starts if start <= now) / RECENT_S)


class Governor:
    """Every model line of one worker."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now, self.lines = now, dict[str, Line]()

    def line(self, model: str) -> Line:
        if model not in self.lines:
            self.lines[model] = Line(self._now)
        return self.lines[model]

    @property
    def all_paused_s(self) -> float:
        """Seconds until any of the lines in use may start something."""
        return min((line.wait_s() for line in self.lines.values()), default=0.0)


class Wait(KitError):
    """The job must wait for its model's line; it has not begun."""

    status = 429
