"""What is written down of each call: never a prompt, an answer or a key.

Names are those of the OpenTelemetry conventions for generative AI (`gen_ai.*`) where there is one.
"""

import traceback
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Protocol

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from claude_core import startup_warnings
from claude_core.errors import (
    KeyMissing,
    KeyRejected,
    KitError,
    OverBudget,
    Overloaded,
    RateLimited,
    SpendCapReached,
    Stopped,
    TooMany,
)
from claude_core.incoming import Incoming
from claude_core.messages import Request
from claude_core.models import NANO, Model
from claude_core.redacted import Redacted
from claude_core.usage import Usage
from claude_core.wire import Json

NAMESPACE = "ClaudeKit"

# What a failed call counts as, beside `errors`; the alarms watch these names.
COUNTED: dict[type[KitError], str] = {
    RateLimited: "upstream_rate_limited",
    SpendCapReached: "upstream_spend_cap_reached",
    Overloaded: "upstream_overloaded",
    KeyMissing: "key_missing",
    KeyRejected: "key_rejected",
    OverBudget: "refused_over_budget",
    TooMany: "refused_too_many",
    Stopped: "refused_stopped",
}

UNITS = {
    "cost_usd": MetricUnit.NoUnit,
    "cache_savings_usd": MetricUnit.NoUnit,
    "routing_cost_usd": MetricUnit.NoUnit,
    "routing_saved_usd": MetricUnit.NoUnit,
    "gen_ai.response.time_to_first_chunk": MetricUnit.Seconds,
    "guesses_cost_usd": MetricUnit.NoUnit,
    "classifier_duration": MetricUnit.Seconds,
}
ALWAYS = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "anthropic"}


def _used(model: Model, usage: Usage, cost: int) -> dict[str, float]:
    return {
        "gen_ai.usage.input_tokens": usage.prompt_tokens,
        "gen_ai.usage.output_tokens": usage.output_tokens,
        "gen_ai.usage.cache_read.input_tokens": usage.cache_read_tokens,
        "gen_ai.usage.cache_write.input_tokens": usage.cache_write_tokens,
        "cost_usd": cost / NANO,
        "cache_savings_usd": model.cache_savings(usage) / NANO,
    }


class Answered(Protocol):
    """What is read of an answer, whole or streamed."""

    @property
    def usage(self) -> Usage: ...
    @property
    def message(self) -> Json: ...
    @property
    def stop_reason(self) -> str | None: ...
    @property
    def request_id(self) -> str | None: ...
    @property
    def attempts(self) -> int: ...


class Telemetry:
    """Logs and metrics of one process."""

    def __init__(self, service: str) -> None:
        self._service = service
        self.log = Logger(service=service, logger_formatter=Redacted())
        for message, metric, facts in startup_warnings.take():
            self.log.warning(message, **facts)
            self.count(**{metric: 1.0})

    def answered(
        self,
        incoming: Incoming,
        client: str,
        request: Request,
        answer: Answered,
        *,
        cost: int,
        ms: float,
        first_token_ms: float | None = None,
        counts_as: str = "answers",
    ) -> None:
        """Count one answer and what it used.

        Args:
            cost: nano-dollars; first_token_ms: for a streamed answer, until its first delta.
            counts_as: "answers", or what else of its own it is: then its time is none of theirs.
        """
        usage, message = answer.usage, answer.message
        counts = _used(request.model, usage, cost) | {counts_as: 1, "retries": answer.attempts - 1}
        if first_token_ms is not None:
            counts["gen_ai.response.time_to_first_chunk"] = first_token_ms / 1_000
        facts = {
            "gen_ai.request.model": request.model.id,
            "gen_ai.request.stream": first_token_ms is not None,
            "gen_ai.response.model": message.get("model"),
            "gen_ai.response.id": message.get("id"),
            "gen_ai.response.finish_reasons": [answer.stop_reason],
            "client": client,
            "upstream_request_id": answer.request_id,
            "upstream_status": 200,
        }
        self._count(incoming, counts, ms if counts_as == "answers" else None, facts)

    def batch(self, client: str, model: Model, usage: Usage, answers: int, *, cost: int) -> None:
        """Count what the answers of a batch have used of one client."""
        counts = _used(model, usage, cost) | {"answers": answers}
        facts = {"gen_ai.request.model": model.id, "client": client}
        self._count(Incoming("batch"), counts, None, facts)

    def left(
        self, incoming: Incoming, client: str, request: Request, *, cost: int, guess: bool
    ) -> None:
        """Count one answer that was not heard to its end; `cost` in nano-dollars is what was
        charged. Its caller went away, or it was begun as a guess, and nobody wanted it."""
        facts = {"gen_ai.request.model": request.model.id, "client": client}
        usd = cost / NANO
        counts = {"guesses_ended": 1, "guesses_cost_usd": usd} if guess else {"callers_left": 1}
        self._count(incoming, counts | {"cost_usd": usd}, None, facts)

    def failed(self, incoming: Incoming, error: KitError, ms: float) -> None:
        """Count one error that a caller was told."""
        counts = {"errors": 1.0, "retries": max(0, error.attempts - 1)}
        if type(error) in COUNTED:
            counts[COUNTED[type(error)]] = 1.0
        facts: dict[str, Any] = {
            "error.type": type(error).__name__,
            "status": error.status,
            "upstream_status": error.upstream_status,
            "upstream_request_id": error.request_id,
            "client": error.client,
            "gen_ai.request.model": error.model,
        }
        # Not its message: it may quote the request.
        self.log.warning("refused or failed", **facts, **asdict(incoming))
        self._count(incoming, counts, ms, facts)

    def absorbed(self, error: KitError) -> None:
        """Count an error that no caller was told, for the alarms that watch Claude."""
        if type(error) in COUNTED:
            self.count(**{COUNTED[type(error)]: 1.0})

    def count(self, **values: float) -> None:
        """Numbers of this process that belong to no call: gauges, and events."""
        metrics = EphemeralMetrics(namespace=NAMESPACE, service=self._service)
        for name, value in values.items():
            metrics.add_metric(name=name, unit=UNITS.get(name, MetricUnit.Count), value=value)
        metrics.flush_metrics()

    def trouble(self, what: str) -> None:
        """Write down what failed beside a call that went well."""
        self.log.error(what)

    def crashed(self, incoming: Incoming, error: BaseException) -> None:
        """Count what should not happen; its words stay out, since they may hold a prompt."""
        where = traceback.format_tb(error.__traceback__)
        facts: dict[str, Any] = {"error.type": type(error).__name__, "traceback": where}
        self.log.error("an unexpected error", **facts, **asdict(incoming))
        self._count(incoming, {"errors": 1, "crashes": 1}, None, facts)

    def _count(
        self,
        incoming: Incoming,
        counts: Mapping[str, float],
        ms: float | None,
        facts: Mapping[str, Any],
    ) -> None:
        metrics = EphemeralMetrics(namespace=NAMESPACE, service=self._service)
        for name, value in counts.items():
            metrics.add_metric(name=name, unit=UNITS.get(name, MetricUnit.Count), value=value)
        if ms is not None:
            metrics.add_metric(name="duration", unit=MetricUnit.Milliseconds, value=ms)
        for name, fact in {**ALWAYS, **facts, **asdict(incoming)}.items():
            if fact is not None:
                metrics.add_metadata(key=name, value=fact)
        metrics.flush_metrics()
