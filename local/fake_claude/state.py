"""One fake Claude's whole memory; the program around it only reads, writes and waits."""

import asyncio
import uuid
from collections import Counter
from collections.abc import Sequence

from local.fake_claude.access import Keys
from local.fake_claude.cache import PromptCache
from local.fake_claude.limits import RateLimits
from local.fake_claude.plan import Plan
from local.fake_claude.stats import Stats


class State:
    """Keys, plan, prompt cache, rate limits and counts, as they are between two resets."""

    def __init__(self, keys: Sequence[str] | None = None) -> None:
        self._first_keys = keys
        self.organization = str(uuid.uuid4())
        self._gate = asyncio.Event()
        self.reset()

    def reset(self) -> None:
        """As it was at the start. What is still in flight is counted where it began, not here."""
        self.keys = Keys(self._first_keys)
        self.plan = Plan()
        self.cache = PromptCache()
        self.limits = RateLimits()
        self.stats = Stats()
        self.used: Counter[tuple[str, ...]] = Counter()
        """How often each script with a limited number of `times` was followed."""
        self.release()

    def release(self) -> None:
        """Let go of every request that is held now; later ones are held anew."""
        gate, self._gate = self._gate, asyncio.Event()
        gate.set()

    async def released(self) -> None:
        """Wait to be let go, counted as held: who releases may wait for that count first."""
        gate, stats = self._gate, self.stats
        stats.held += 1
        stats.notify()
        try:
            await gate.wait()
        finally:
            stats.held -= 1
