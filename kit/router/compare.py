"""This run beside the last one, question by question: only those count that both have asked."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kit.router.figures import Share
from kit.router.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Compared:
    """Two runs on the questions that they have in common."""

    before: Share
    now: Share
    mended: tuple[str, ...]
    """Names of the questions that were wrong before, and are right now."""
    broken: tuple[str, ...]
    """The other way round."""

    @property
    def chance(self) -> float:
        """How likely so uneven a change is, or a more uneven one, if both are equally good: the
        exact test of McNemar (1947), which asks only about the questions that changed."""
        sides = len(self.mended), len(self.broken)
        ways = sum(math.comb(sum(sides), at) for at in range(min(sides) + 1))
        return min(1.0, float(2 * ways / 2 ** sum(sides)))


def compare(outcomes: Iterable[Outcome], before: Mapping[str, bool]) -> Compared | None:
    """
    Args:
        before: whether the last run was right, by the question's key.

    Returns:
        None: they have no question in common.
    """
    common = [(one, before[one.question.key]) for one in outcomes if one.question.key in before]
    if not common:
        return None
    return Compared(
        before=Share(sum(was for _, was in common), len(common)),
        now=Share(sum(one.right for one, _ in common), len(common)),
        mended=tuple(one.question.name for one, was in common if one.right and not was),
        broken=tuple(one.question.name for one, was in common if was and not one.right),
    )
