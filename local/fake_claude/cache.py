"""The prompt cache: the first call with a marked prefix writes it, the next one reads it."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from local.fake_claude.prompt import Segment

SHORTEST_TOKENS = 512
"""A shorter prefix is not cached, and nothing says so; the least that any model documents."""
TTL_S = {"5m": 300.0, "1h": 3_600.0}
MOST_ENTRIES = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class InputUsage:
    """How a prompt was paid: fresh, written to the cache, or read from it; the sum is all of it."""

    fresh: int = 0
    read: int = 0
    written: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(TTL_S, 0))

    @property
    def uncached(self) -> int:
        """What counts against the rate limit: all but what was read from the cache."""
        return self.fresh + sum(self.written.values())

    def to_json(self) -> dict[str, Any]:
        return {
            "input_tokens": self.fresh,
            "cache_creation_input_tokens": sum(self.written.values()),
            "cache_read_input_tokens": self.read,
            "cache_creation": {
                f"ephemeral_{ttl}_input_tokens": count for ttl, count in self.written.items()
            },
        }


class PromptCache:
    """Prefixes by fingerprint, each with the time when it is forgotten."""

    def __init__(self) -> None:
        self._entries: OrderedDict[bytes, tuple[float, float]] = OrderedDict()

    def consult(
        self,
        model: str,
        segments: Sequence[Segment],
        automatic: Mapping[str, Any] | None,
        *,
        dry: bool = False,
    ) -> InputUsage:
        """Read the longest known prefix, write what the marks ask for.

        Args:
            automatic: a `cache_control` of the request itself marks the last block.
            dry: only say how it would be paid now.
        """
        now, size, prefix = time.monotonic(), 0, hashlib.sha256(model.encode())
        ends: list[tuple[int, bytes, str | None]] = []
        for number, segment in enumerate(segments, start=1):
            prefix.update(segment.digest)
            size += segment.tokens
            mark = segment.cache_control or (automatic if number == len(segments) else None)
            ends.append((size, prefix.digest(), mark.get("ttl", "5m") if mark else None))
        marks = [(end, digest, ttl) for end, digest, ttl in ends if ttl and end >= SHORTEST_TOKENS]
        if not marks:
            return InputUsage(fresh=size)
        last = marks[-1][0]
        known = [
            (end, digest) for end, digest, _ in ends if end <= last and self._known(digest, now)
        ]
        paid = read = max((end for end, _ in known), default=0)
        if not dry:
            for _, digest in known:
                self._remember(digest, self._entries[digest][0], now)  # a hit starts the time anew
        written = dict.fromkeys(TTL_S, 0)
        for end, digest, ttl in marks:
            if end > paid:
                written[ttl] += end - paid
                paid = end
                if not dry:
                    self._remember(digest, TTL_S[ttl], now)
        return InputUsage(fresh=size - paid, read=read, written=written)

    def _known(self, digest: bytes, now: float) -> bool:
        return digest in self._entries and self._entries[digest][1] > now

    def _remember(self, digest: bytes, ttl_s: float, now: float) -> None:
        self._entries[digest] = (ttl_s, now + ttl_s)
        self._entries.move_to_end(digest)
        if len(self._entries) > MOST_ENTRIES:
            self._entries.popitem(last=False)
