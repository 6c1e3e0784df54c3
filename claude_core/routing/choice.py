"""What was chosen for a question, and why."""

from dataclasses import dataclass
from enum import StrEnum

from claude_core.models import NANO, Model
from claude_core.routes import Route
from claude_core.usage import Usage
from claude_core.wire import Json


class Reason(StrEnum):
    """Why a model answers; each is a word that stays."""

    ASKED = "asked for by name"
    CONVERSATION = "the conversation is on it"
    ATTACHMENTS = "attachments are not classified"
    LONG = "a long prompt is not classified"
    CLASSIFIED = "classified"
    UNSURE = "classified, but not surely"
    LATE = "the classifier was late"
    FAILED = "the classifier failed"
    MALFORMED = "the classifier's answer was no intent"
    REFUSED = "the classifier refused"
    NO_CLASSIFIER = "the client may not use the classifier's model"
    BUDGET = "little of the month's budget is left"
    FALLBACK = "the model before it could not answer"
    AFTER_REFUSAL = "the model before it refused"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A classifier's word."""

    intent: str
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Who answers."""

    route: Route
    model: Model
    reason: Reason
    verdict: Verdict | None = None
    cost: int = 0
    """Nano-dollars that choosing has cost."""
    seconds: float = 0.0
    """That the classifier took; 0: it was not asked."""
    dearest: Model | None = None
    """Of those that the client may use: what is saved is told against it."""

    def saved(self, usage: Usage) -> int:
        """Nano-dollars less than the dearest model would have taken for the same tokens; choosing
        is paid from it, so it can be negative."""
        if self.dearest is None:
            return 0
        return self.dearest.cost(usage) - self.model.cost(usage) - self.cost

    def to_json(self, usage: Usage | None = None) -> Json:
        """As answers show it; what was saved with the usage alone, which is known at the end."""
        told: Json = {
            "intent": self.route.intent,
            "confidence": self.verdict.confidence if self.verdict else None,
            "model": self.model.id,
            "reason": self.reason.value,
            "cost_usd": self.cost / NANO,
        }
        if usage is not None:
            told["saved_usd"] = self.saved(usage) / NANO
        return told


@dataclass(frozen=True, slots=True, kw_only=True)
class Last:
    """The answer before, in a conversation that goes on."""

    route: Route
    model: Model
    verdict: Verdict | None = None
    holds: bool = True
    """The conversation stays on the model."""
    setting: str = ""
    """What came before all messages, as `thoughts.setting` names it."""
    thoughts_from: int = 0
    """Index of the first message whose thoughts the model was given, or has had itself."""
