"""One fake Claude's whole memory; the program around it only reads, writes and waits."""

import asyncio
import uuid
from collections import Counter
from collections.abc import Sequence

from local.fake_claude.access import Keys
from local.fake_claude.batch import Settings
from local.fake_claude.batches import Batches
from local.fake_claude.cache import PromptCache
from local.fake_claude.limits import RateLimits, Rule
from local.fake_claude.plan import Plan
from local.fake_claude.stats import Stats


class State:
    """Keys, plans, batches, prompt cache, rate limits and counts, as they are between resets."""

    def __init__(
        self,
        keys: Sequence[str] | None = None,
        *,
        limits: Sequence[Rule] = (),
        batching: Settings | None = None,
    ) -> None:
        self._first = (keys, tuple(limits), batching or Settings())
        self.organization = str(uuid.uuid4())
        self._gate = asyncio.Event()
        self.batches = Batches()
        self.reset()

    def reset(self) -> None:
        """As it was at the start. What is still in flight is counted where it began, not here."""
        keys, limits, self.batching = self._first
        self.keys = Keys(keys)
        self.plans: dict[str, Plan] = {}
        self.batches.forget()
        self.cache = PromptCache()
        self.limits = RateLimits(limits)
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
