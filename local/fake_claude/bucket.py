"""A token bucket: what it holds flows back all the time, and never above its limit."""

from time import monotonic


class Bucket:
    """How much of something may be used at once, and how fast that comes back."""

    __slots__ = ("_level", "_rate", "_then", "enforced", "limit")

    def __init__(self, limit: float, window_s: float, *, enforced: bool) -> None:
        """A full bucket.

        Args:
            window_s: in which an empty one is full again.
            enforced: whether anybody is refused because of it.
        """
        self.limit, self.enforced = limit, enforced
        self._rate, self._level, self._then = limit / window_s, limit, monotonic()

    @property
    def level(self) -> float:
        """What is left; below 0 after an answer longer than that."""
        now = monotonic()
        self._level = min(self.limit, self._level + (now - self._then) * self._rate)
        self._then = now
        return self._level

    def take(self, amount: float) -> None:
        self._level = self.level - amount

    def wait_s(self, amount: float) -> float:
        """How long until that much would be there, if the bucket were large enough."""
        return max(0.0, amount - self.level) / self._rate

    def full_in_s(self) -> float:
        return (self.limit - self.level) / self._rate
