"""Routing beside no routing: one model for everything, and routes as the labels want them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from claude_core.models import MODELS, ROLES, Model, resolve
from claude_core.routes import Table
from kit.router.outcome import Outcome

PER_MILLION = 1 / 1_000
"""USD a million tokens, of nano-dollars a token."""


@dataclass(frozen=True, slots=True)
class Strategy:
    """One way to choose models, held against the models of the labels' routes."""

    name: str
    same: int
    cheaper: int
    """Questions that a cheaper model would answer than their label's."""
    dearer: int
    input_usd: float
    """A million tokens, on average over the questions: each counts the same."""
    output_usd: float
    share: dict[str, float]
    """Of the questions, by model."""


def strategies(outcomes: Sequence[Outcome], table: Table, router: str) -> list[Strategy]:
    """As labelled, as routed, and each role always."""
    labelled = [table.routes[one.question.intent].resolved for one in outcomes]
    ways: dict[str, Iterable[Model]] = {
        "as labelled": labelled,
        router: [one.model for one in outcomes],
        **{f"always {role}": [resolve(role)] * len(outcomes) for role in ROLES},
    }
    return [_strategy(name, list(models), labelled) for name, models in ways.items()]


def _strategy(name: str, models: list[Model], labelled: list[Model]) -> Strategy:
    pairs, of = list(zip(models, labelled, strict=True)), len(models)
    prices = [(got.price.output, wanted.price.output) for got, wanted in pairs]
    return Strategy(
        name=name,
        same=sum(got is wanted for got, wanted in pairs),
        cheaper=sum(got < wanted for got, wanted in prices),
        dearer=sum(got > wanted for got, wanted in prices),
        input_usd=sum(model.price.input for model in models) / of * PER_MILLION,
        output_usd=sum(model.price.output for model in models) / of * PER_MILLION,
        share={one.id: models.count(one) / of for one in MODELS if one in models},
    )
