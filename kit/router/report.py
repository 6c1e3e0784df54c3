"""One run: how it was made, and every figure of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from claude_core.routes import Table
from claude_core.wire import Json
from kit.router.compare import Compared
from kit.router.figures import (
    Intent,
    Share,
    accuracy,
    by_intent,
    by_tag,
    confusion,
    failures,
    mistakes,
)
from kit.router.outcome import Outcome
from kit.router.strategies import Strategy, strategies
from kit.router.sweep import Step, sweep
from kit.router.timing import Latency, latencies

REAL, FAKE, NOBODY = "claude", "fake", "rules alone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How it was made."""

    began_at: str
    """ISO 8601, UTC."""
    file: str
    split: str
    classifier: str
    """REAL, FAKE or NOBODY: whose figures these are."""
    deployment: str | None = None
    at_once: int = 0
    late_s: float = 0.0
    took_s: float = 0.0
    waking: int = 0
    """Nano-dollars of what was asked before the questions."""
    table: str = ""
    """Short for what the classifier is told and how sure it must be: two runs of one table have the
    same."""


@dataclass(frozen=True)
class Report:
    """Its figures; each is worked out when it is asked for."""

    run: Run
    table: Table
    outcomes: Sequence[Outcome]
    last: Json | None = None
    """The last run, as it was written."""
    compared: Compared | None = None
    ruled: int = 0
    """With the rules alone: questions that one of them decided."""

    @property
    def names(self) -> list[str]:
        return list(self.table.routes)

    @cached_property
    def accuracy(self) -> Share:
        return accuracy(self.outcomes)

    @cached_property
    def confusion(self) -> dict[str, dict[str, int]]:
        return confusion(self.outcomes, self.names)

    @cached_property
    def intents(self) -> list[Intent]:
        return by_intent(self.confusion)

    @cached_property
    def tags(self) -> dict[str, Share]:
        return by_tag(self.outcomes)

    @cached_property
    def failures(self) -> dict[str, int]:
        return dict(failures(self.outcomes))

    @cached_property
    def mistakes(self) -> list[Outcome]:
        return mistakes(self.outcomes)

    @cached_property
    def latencies(self) -> dict[str, Latency]:
        return latencies(self.outcomes, self.names)

    @cached_property
    def steps(self) -> list[Step]:
        """None where there is no verdict to believe."""
        if not any(one.verdict for one in self.outcomes):
            return []
        return sweep(self.outcomes, self.table.default.intent, self.table.confidence)

    @cached_property
    def strategies(self) -> list[Strategy]:
        name = "as ruled" if self.run.classifier == NOBODY else "as routed"
        return strategies(self.outcomes, self.table, name)

    @property
    def cost(self) -> int:
        """Nano-dollars of the classifications that were answered: what is known."""
        return sum(one.cost for one in self.outcomes if one.answered)

    @property
    def unknown_cost(self) -> int:
        """Nano-dollars that the others may have cost, at most."""
        return sum(one.cost for one in self.outcomes if not one.answered)

    @property
    def cost_of_1000(self) -> float:
        """Nano-dollars of so many, by those that were answered."""
        answered = sum(one.answered for one in self.outcomes)
        return self.cost / answered * 1_000 if answered else 0.0

    @property
    def same_table(self) -> bool:
        """The last run's classifier was told the same."""
        return self.last is not None and self.last["run"]["table"] == self.run.table
