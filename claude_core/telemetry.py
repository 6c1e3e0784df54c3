"""What is written down of each call: never a prompt, an answer or a key."""

import re
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from claude_core.errors import (
    KeyMissing,
    KeyRejected,
    KitError,
    Overloaded,
    RateLimited,
    SpendCapReached,
)
from claude_core.messages import Reply, Request
from claude_core.models import NANO

NAMESPACE = "ClaudeKit"
KEYS = re.compile(r"(sk-ant-|ck_)[A-Za-z0-9_-]{8,}")

# What a failed call counts as, beside `errors`; the alarms watch these names.
COUNTED: dict[type[KitError], str] = {
    RateLimited: "upstream_rate_limited",
    SpendCapReached: "upstream_spend_cap_reached",
    Overloaded: "upstream_overloaded",
    KeyMissing: "key_missing",
    KeyRejected: "key_rejected",
}


class _Redacted(LambdaPowertoolsFormatter):
    """Masks keys in the finished line, wherever in it they came from."""

    def serialize(self, log: Any) -> str:
        return KEYS.sub(r"\1…", super().serialize(log))


class Telemetry:
    """Logs and metrics of one process."""

    def __init__(self, service: str) -> None:
        self._service = service
        self.log = Logger(service=service, logger_formatter=_Redacted())

    def answered(self, client: str, request: Request, reply: Reply, cost: int, ms: float) -> None:
        """Count one answer and what it used."""
        usage = reply.usage
        self._count(
            {
                "gen_ai.usage.input_tokens": usage.prompt_tokens,
                "gen_ai.usage.output_tokens": usage.output_tokens,
                "gen_ai.usage.cache_read_tokens": usage.cache_read_tokens,
                "cost_usd": cost / NANO,
                "answers": 1,
            },
            ms,
            {
                "gen_ai.request.model": request.model.id,
                "gen_ai.response.finish_reason": reply.stop_reason,
                "gen_ai.response.id": str(reply.message.get("id")),
                "client": client,
            },
        )

    def failed(self, error: KitError, ms: float, client: str | None = None) -> None:
        """Count one error that a caller was told."""
        counts = {"errors": 1.0}
        if type(error) in COUNTED:
            counts[COUNTED[type(error)]] = 1.0
        kind = type(error).__name__
        self.log.warning(error.message, error=kind, status=error.status, client=client)
        self._count(counts, ms, {"error": kind, "status": str(error.status)})

    def _count(self, counts: dict[str, float], ms: float, facts: dict[str, str]) -> None:
        metrics = EphemeralMetrics(namespace=NAMESPACE, service=self._service)
        for name, value in counts.items():
            unit = MetricUnit.NoUnit if name == "cost_usd" else MetricUnit.Count
            metrics.add_metric(name=name, unit=unit, value=value)
        metrics.add_metric(name="duration", unit=MetricUnit.Milliseconds, value=ms)
        for name, fact in facts.items():
            metrics.add_metadata(key=name, value=fact)
        metrics.flush_metrics()
