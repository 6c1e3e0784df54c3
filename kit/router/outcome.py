"""What became of one question: the route that it takes, and whether that is its label's."""

from dataclasses import dataclass

from claude_core.models import Model
from claude_core.routes import Table
from claude_core.routing.choice import Reason, Verdict
from claude_core.routing.policy import Purse, decide, unclassified
from claude_core.routing.router import Classified
from kit.router.questions import Question

FAILURES = (Reason.LATE, Reason.FAILED, Reason.MALFORMED, Reason.REFUSED)
EVERYTHING = Purse()
"""Of a client that may use every model and has its whole month left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One question, routed."""

    question: Question
    taken: str
    """The intent whose route answers it; where the classifier gave none, the default one."""
    model: Model
    reason: Reason
    verdict: Verdict | None = None
    cost: int = 0
    """Nano-dollars of its classification; where that failed, the most that it can have been."""
    seconds: float = 0.0
    detail: str = ""
    """What the deployment said to a classification that failed."""

    @property
    def failed(self) -> bool:
        """The classifier was asked and gave no verdict."""
        return self.reason in FAILURES

    @property
    def answered(self) -> bool:
        """Claude said something: what it cost is known, whatever it was."""
        return self.seconds > 0 and self.reason not in (Reason.LATE, Reason.FAILED)

    @property
    def right(self) -> bool:
        """It takes its route, and not because the default one happens to be it."""
        return not self.failed and self.taken == self.question.intent


def classified(table: Table, question: Question, found: Classified, detail: str = "") -> Outcome:
    """Where a question goes after the classifier was asked."""
    choice = decide(table, EVERYTHING, found.verdict, found.reason)
    return Outcome(
        question=question,
        taken=choice.route.intent,
        model=choice.model,
        reason=choice.reason,
        verdict=found.verdict,
        cost=found.cost,
        seconds=found.seconds,
        detail=detail,
    )


def by_rules(table: Table, question: Question) -> tuple[Outcome, bool]:
    """Where it goes if there is no classifier, and whether a rule decided that."""
    body = {"messages": [{"role": "user", "content": question.text}]}
    found = unclassified(table, body, EVERYTHING)
    choice = found or decide(table, EVERYTHING, None, Reason.NO_CLASSIFIER)
    outcome = Outcome(
        question=question, taken=choice.route.intent, model=choice.model, reason=choice.reason
    )
    return outcome, found is not None
