"""How right routes are: shares with intervals, precision and recall, what is taken for what."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kit.router.outcome import Outcome

Z = 1.959963984540054
"""Standard deviations on either side of a normal distribution's middle 95 %."""
NO_VERDICT = "no verdict"
"""Where a question stands that the classifier did not answer; no intent has a space in it."""


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    count: int
    of: int

    @property
    def value(self) -> float | None:
        """None: of nothing there is no share."""
        return self.count / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float]:
        """Where the true share is with 95 %, by Wilson: it holds for few questions, too, and at
        0 and 1 (Brown, Cai, DasGupta 2001, "Interval Estimation for a Binomial Proportion")."""
        if not self.of:
            return 0.0, 1.0
        share, spread = self.count / self.of, Z * Z / self.of
        middle = (share + spread / 2) / (1 + spread)
        half = math.sqrt(share * (1 - share) * spread + spread * spread / 4) / (1 + spread)
        return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True, slots=True)
class Intent:
    """One intent's figures."""

    name: str
    labelled: int
    taken: int
    """Questions that the classifier put on its route."""
    right: int

    @property
    def precision(self) -> float | None:
        """Of those that took its route, the share that belongs there."""
        return Share(self.right, self.taken).value

    @property
    def recall(self) -> float | None:
        """Of those that belong there, the share that took its route."""
        return Share(self.right, self.labelled).value


def accuracy(outcomes: Iterable[Outcome]) -> Share:
    found = [one.right for one in outcomes]
    return Share(sum(found), len(found))


def confusion(outcomes: Iterable[Outcome], names: Sequence[str]) -> dict[str, dict[str, int]]:
    """For each label, how many of its questions took which route; those without a verdict apart."""
    matrix = {label: dict.fromkeys([*names, NO_VERDICT], 0) for label in names}
    for one in outcomes:
        matrix[one.question.intent][NO_VERDICT if one.failed else one.taken] += 1
    return matrix


def by_intent(matrix: dict[str, dict[str, int]]) -> list[Intent]:
    return [
        Intent(name, sum(row.values()), sum(other[name] for other in matrix.values()), row[name])
        for name, row in matrix.items()
    ]


def by_tag(outcomes: Iterable[Outcome]) -> dict[str, Share]:
    """Accuracy of the questions of each tag, the worst first."""
    counts: dict[str, list[int]] = {}
    for one in outcomes:
        for tag in dict.fromkeys(one.question.tags):
            count = counts.setdefault(tag, [0, 0])
            count[0] += one.right
            count[1] += 1
    shares = {tag: Share(*count) for tag, count in counts.items()}
    return dict(sorted(shares.items(), key=lambda item: (item[1].count / item[1].of, item[0])))


def failures(outcomes: Iterable[Outcome]) -> Counter[str]:
    """How many have no verdict, by why."""
    return Counter(one.reason.value for one in outcomes if one.failed)


def mistakes(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Wrong routes, those first of which the classifier was the surest."""
    wrong = [one for one in outcomes if one.verdict and not one.right]
    return sorted(wrong, key=lambda one: -one.verdict.confidence if one.verdict else 0.0)
