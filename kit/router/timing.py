"""How long classifying takes."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from claude_core.routing.choice import Reason
from kit.router.outcome import Outcome

TOGETHER = "together"


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds, of so many classifications."""

    count: int
    p50: float
    p95: float


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest measured value that at least `share` of all do not exceed (nearest rank)."""
    # 0.95 * 20 is a hair above 19; the rank is not.
    rank = math.ceil(round(share * len(values), 9))
    return sorted(values)[max(rank, 1) - 1]


def latencies(outcomes: Iterable[Outcome], names: Iterable[str]) -> dict[str, Latency]:
    """By the route that was taken, of those with a verdict; and of all together. There late ones
    count as long as they were waited for; a refusal that comes at once says nothing of the time
    that classifying takes."""
    groups: dict[str, list[float]] = {name: [] for name in [*names, TOGETHER]}
    for one in outcomes:
        if one.verdict:
            groups[one.taken].append(one.seconds)
        if one.answered or one.reason is Reason.LATE:
            groups[TOGETHER].append(one.seconds)
    return {
        name: Latency(len(found), quantile(found, 0.5), quantile(found, 0.95))
        for name, found in groups.items()
        if found
    }
