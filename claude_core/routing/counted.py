"""What routing is counted as: each choice when it is made, each answer when it has ended."""

from claude_core.models import NANO
from claude_core.routing.calls import Question
from claude_core.routing.choice import Choice, Reason
from claude_core.telemetry import Telemetry
from claude_core.usage import Usage

FAILURES = (Reason.LATE, Reason.FAILED, Reason.MALFORMED, Reason.REFUSED)
INSTEAD = (Reason.FALLBACK, Reason.AFTER_REFUSAL)


def chosen(telemetry: Telemetry, choice: Choice) -> None:
    """Count a question that was classified, whatever becomes of its answer."""
    telemetry.count(
        classifier_duration=choice.seconds,
        classifier_failures=float(choice.reason in FAILURES),
        routing_cost_usd=choice.cost / NANO,
    )


def answered(
    telemetry: Telemetry, question: Question, choice: Choice, usage: Usage | None = None
) -> None:
    """Count an answer; without its usage, which was cut off, what it saved is not known."""
    counts = {
        "routed": 1.0,
        f"route_{choice.route.intent}": 1.0,
        "routing_fallbacks": float(choice.reason in INSTEAD),
    }
    if usage is not None:
        counts["routing_saved_usd"] = choice.saved(usage) / NANO
    if refused := choice.cost - question.choice.cost:
        counts["routing_cost_usd"] = refused / NANO
    telemetry.count(**counts)
