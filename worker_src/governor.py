"""The pace that Claude allows, learned for each model line: its limits are kept full, not broken.

Calls start slowly until the first answer, and then as they come, up to what its headers promise.
Where that is too much, since others share the limit, so many start in a second as a token bucket
lets: fewer by a fifth whenever Claude says no, by a tenth when little is left of the minute, and a
little more with each other answer. While a line is paused nothing starts; other workers hear of it
through the table (`pauses.py`).
"""

from collections import deque
from collections.abc import Callable, Mapping

from claude_core.errors import KitError

LONGEST_SLEEP_S = 5.0
"""In the process; who must wait longer goes back to the queue."""
FIRST_RATE = 10.0
"""Starts a second until Claude has said anything."""
SLOWER, A_LITTLE_SLOWER = 0.8, 0.9
"""What a refusal multiplies the rate by, and an answer that says that little is left."""
LITTLE = 0.05
"""Of a minute's requests."""
FASTER = 0.02
"""Starts a second that one answer adds: about 2 % a second."""
SLOWEST = 0.2
"""Starts a second: without some, nobody would learn that it is over."""
RECENT_S = 5.0
NO_WORD_S = 2.0, 60.0
"""Pause after a refusal that names no time, and its longest when refusals go on."""


class Line:
    """One model's."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.rate: float | None = FIRST_RATE
        """Starts a second; None where nothing limits them."""
        self.paused_until = 0.0
        """Seconds since the epoch."""
        self.turns = 0
        """Counts the times that it became slower: what was taken before is to be taken anew."""
        self._ceiling = float("inf")
        self._next_start = 0.0
        self._slowed_at = 0.0
        self._refusals, self._heard = 0, False
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
        limit = _number(headers, "limit")
        self._ceiling = max(SLOWEST, limit / 60) if limit else float("inf")
        if not self._heard:
            self._heard = True
            if not self._slowed_at:
                self.rate = self._ceiling if limit else None
        left = _number(headers, "remaining")
        if limit and left is not None and left < LITTLE * limit:
            if self._slowed(A_LITTLE_SLOWER):
                self._turn()
        elif self.rate:
            self.rate = min(self._ceiling, self.rate + FASTER)

    def refused(self, retry_after_s: float | None) -> float:
        """Claude has said 429 or 529: slower; seconds for which the whole line is paused."""
        self._refusals += 1
        self._slowed(SLOWER)
        pause = retry_after_s
        if pause is None:
            first, longest = NO_WORD_S
            # One refusal among many answers pauses nobody; a row of them does.
            pause = min(longest, first * 2.0 ** (self._refusals // 10)) if self._refusals > 3 else 0
        self.pause(self._now() + pause)
        return pause

    def pause(self, until: float) -> None:
        """Start nothing before `until`, in seconds since the epoch."""
        if until > self.paused_until:
            self.paused_until = until
            self._turn()

    def _slowed(self, by: float) -> bool:
        """Start fewer from now on; False: it was slowed just now."""
        now = self._now()
        if now - self._slowed_at < 1:  # what was under way then tells the same once more
            return False
        self._slowed_at = now
        rate = self.rate or self._recent(now)
        self.rate = min(self._ceiling, max(SLOWEST, rate * by))
        return True

    def _turn(self) -> None:
        self.turns += 1
        self._next_start = self._now()

    def _recent(self, now: float) -> float:
        return max(1.0, sum(1 for start in self._starts if start <= now) / RECENT_S)


def _number(headers: Mapping[str, str], what: str) -> int | None:
    text = headers.get(f"anthropic-ratelimit-requests-{what}", "")
    return int(text) if text.isdigit() else None


class Governor:
    """Every model line of one worker."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now, self.lines = now, dict[str, Line]()
        self._resting: dict[str, float] = {}

    def line(self, model: str) -> Line:
        if model not in self.lines:
            self.lines[model] = Line(self._now)
        return self.lines[model]

    def rest(self, client: str, seconds: float) -> None:
        """Begin nothing of a client for a while."""
        self._resting[client] = self._now() + seconds

    def rests_s(self, client: str) -> float:
        """Seconds for which nothing of a client is begun."""
        left_s = self._resting.get(client, 0.0) - self._now()
        if left_s <= 0:
            self._resting.pop(client, None)
        return max(0.0, left_s)

    @property
    def all_paused_s(self) -> float:
        """Seconds until any of the lines in use may start something."""
        return min((line.wait_s() for line in self.lines.values()), default=0.0)


class Wait(KitError):
    """The job must wait for its model's line; it has not begun."""

    status = 429
