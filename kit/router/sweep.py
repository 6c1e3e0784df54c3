"""What another threshold would do: the same verdicts, with less or more of them believed."""

from collections.abc import Sequence
from dataclasses import dataclass

from kit.router.figures import Share
from kit.router.outcome import Outcome

STEPS = tuple(at / 20 for at in range(20))
"""0.00 to 0.95."""


@dataclass(frozen=True, slots=True)
class Step:
    """All questions, if verdicts counted from this confidence on."""

    confidence: float
    keeps: Share
    """Questions that keep the classifier's route, of all."""
    right: Share
    """Of those that keep it, the ones it is right for."""
    overall: Share
    """Right ones of all, with the rest on the default route."""

    def same(self, other: "Step") -> bool:
        return (self.keeps, self.right, self.overall) == (other.keeps, other.right, other.overall)


def step(outcomes: Sequence[Outcome], default: str, confidence: float) -> Step:
    """One threshold.

    Args:
        default: the intent whose route the others take.
    """
    kept = right = lucky = 0
    for one in outcomes:
        if one.verdict is None:
            continue
        if one.verdict.confidence >= confidence:
            kept += 1
            right += one.verdict.intent == one.question.intent
        else:
            lucky += one.question.intent == default
    of = len(outcomes)
    return Step(confidence, Share(kept, of), Share(right, kept), Share(right + lucky, of))


def sweep(outcomes: Sequence[Outcome], default: str, own: float) -> list[Step]:
    """Every threshold of `STEPS`, and the table's own."""
    return [step(outcomes, default, at) for at in sorted({*STEPS, own})]
