"""Who may answer, by rules alone: before anything is classified, and from the verdict after it."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from claude_core import messages
from claude_core.errors import NotAllowed
from claude_core.models import LONG_PROMPT_TOKENS, MODELS, Model, resolve
from claude_core.routes import Table
from claude_core.routing.choice import Choice, Reason, Verdict
from claude_core.row import Row, month_of
from claude_core.wire import Json, to_bytes

ATTACHED = {"image", "document"}
LITTLE = 0.05
"""Of a month's budget; when so little is left, the cheapest model answers."""
AUTO = "auto"
"""What a caller may write for the model to have it chosen."""


@dataclass(frozen=True, slots=True)
class Purse:
    """What a client may use, and how much of its month is left; NotAllowed: nothing at all."""

    allowed: Sequence[Model] = MODELS
    left: float = 1.0
    """Share of the month's budget that is not spent; what open calls hold is not."""
    free: int = 10**18
    """Nano-dollars that nothing has taken, open calls neither."""
    budget: int = 10**18
    """Nano-dollars of the month."""
    guessed: int = 0
    """What unused speculative answers have cost this month, in nano-dollars."""

    @classmethod
    def of(cls, row: Row) -> "Purse":
        """A client's, as its row stands."""
        month = month_of(dt.datetime.now(dt.UTC))
        return cls(
            [model for model in MODELS if row.may_use(model)],
            left=1 - row.spent(month) / (row.budget or 1),
            free=row.left(month),
            budget=row.budget,
            guessed=row.guessed(month),
        )

    def __post_init__(self) -> None:
        if not self.allowed:
            raise NotAllowed("model: this client may use none that is served")

    @property
    def dearest(self) -> Model:
        return max(self.allowed, key=_price)

    @property
    def cheapest(self) -> Model:
        return min(self.allowed, key=_price)

    def nearest(self, wanted: Model, tokens: int = 0) -> Model:
        """The model itself, or the dearest allowed one that is no dearer; else the cheapest.

        Args:
            tokens: of the prompt, about: who cannot read so many is passed over, if another can.
        """
        reading = [model for model in self.allowed if model.max_input_tokens >= tokens]
        able = reading or list(self.allowed)
        below = [model for model in able if _price(model) <= _price(wanted)]
        return wanted if wanted in able else max(below or [min(able, key=_price)], key=_price)


def named(table: Table, body: Json, purse: Purse) -> Choice | None:
    """Who answers whatever the question is: the model that is asked for by name, or the cheapest,
    at the end of the month's money.

    Raises:
        NotFound: the model that is asked for is none.
    """
    asked, dearest = body.get("model", AUTO), purse.dearest
    if asked != AUTO:
        found = resolve(asked)
        return Choice(route=table.default, model=found, reason=Reason.ASKED, dearest=dearest)
    if purse.left < LITTLE:
        cheapest = purse.cheapest
        return Choice(route=table.default, model=cheapest, reason=Reason.BUDGET, dearest=dearest)
    return None


def unclassified(table: Table, body: Json, purse: Purse) -> Choice | None:
    """The default route, for what a classifier could not read; None: it has to be classified."""
    if any(str(block.get("type")) in ATTACHED for block, _ in messages.blocks(body)):
        return decide(table, purse, None, Reason.ATTACHMENTS)
    if (tokens := len(to_bytes(body)) // messages.BYTES_PER_TOKEN) > LONG_PROMPT_TOKENS:
        return decide(table, purse, None, Reason.LONG, tokens)
    return None


def decide(
    table: Table,
    purse: Purse,
    verdict: Verdict | None,
    reason: Reason = Reason.CLASSIFIED,
    tokens: int = 0,
) -> Choice:
    """The choice from a verdict, or from why there is none: then the default route answers."""
    route = table.default
    if verdict is not None:
        reason = Reason.UNSURE if verdict.confidence < table.confidence else reason
        route = route if reason is Reason.UNSURE else table.routes[verdict.intent]
    model = purse.nearest(route.resolved, tokens)
    return Choice(route=route, model=model, reason=reason, verdict=verdict, dearest=purse.dearest)


def next_line(choice: Choice, purse: Purse, *, larger: bool = False) -> Choice | None:
    """Who answers where the chosen model cannot: the nearest in price that is no dearer, else the
    nearest that is; None: nobody, as for a model that was asked for by name, and, where little
    money is left, for all that are dearer.

    Args:
        larger: it has to read more than the chosen one.
    """
    if choice.reason is Reason.ASKED:
        return None
    others = [
        model
        for model in purse.allowed
        if model is not choice.model
        and not (larger and model.max_input_tokens <= choice.model.max_input_tokens)
    ]
    at = _price(choice.model)
    below = [model for model in others if _price(model) <= at]
    if choice.reason is Reason.BUDGET:
        others = below
    if not others:
        return None
    model = max(below, key=_price) if below else min(others, key=_price)
    return replace(choice, model=model, reason=Reason.FALLBACK)


def after_refusal(choice: Choice, purse: Purse) -> Choice | None:
    """Who is asked where the chosen model has refused, if its route says so; None: nobody."""
    if not choice.route.after_refusal or choice.reason in (Reason.FALLBACK, Reason.ASKED):
        return None
    model = resolve(choice.route.after_refusal)
    if model not in purse.allowed or model is choice.model:
        return None
    if choice.reason is Reason.BUDGET and _price(model) > _price(choice.model):
        return None
    return replace(choice, model=model, reason=Reason.AFTER_REFUSAL)


def _price(model: Model) -> int:
    return model.price.output
