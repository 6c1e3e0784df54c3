"""The metrics that `claude_core.telemetry` writes, with the alarms and graphs of every pattern."""

from aws_cdk import aws_cloudwatch as cloudwatch

from stacks.parts.alarms import PERIOD, Row
from stacks.parts.dashboard import Graphs

NAMESPACE = "ClaudeKit"


class KitMetrics:
    """Those of one stack: `service` is its name."""

    def __init__(self, service: str) -> None:
        self._service = service

    def __call__(self, name: str, statistic: str = "Sum") -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=name,
            dimensions_map={"service": self._service},
            statistic=statistic,
            period=PERIOD,
        )

    def alarms(self) -> tuple[Row, ...]:
        return (
            Row("Crashes", self("crashes"), 1, "an error that nobody expected; see the log"),
            Row("RateLimited", self("upstream_rate_limited"), 5, "ask for higher rate limits"),
            Row("SpendCap", self("upstream_spend_cap_reached"), 1, "raise it in the Console"),
            Row("Overloaded", self("upstream_overloaded"), 5, "Claude answers 529"),
            Row("KeyMissing", self("key_missing"), 1, "no Claude key is set; run: kit key set"),
            Row("KeyRejected", self("key_rejected"), 1, "Claude refuses it; run: kit key set"),
        )

    def graphs(self) -> Graphs:
        return {
            "Answers, errors, retries, callers that left": [
                self("answers"),
                self("errors"),
                self("retries"),
                self("callers_left"),
            ],
            "Time to first token, p50 and p99 (s)": [
                self("gen_ai.response.time_to_first_chunk", "p50"),
                self("gen_ai.response.time_to_first_chunk", "p99"),
            ],
            "Time to the whole answer, p50 and p99 (ms)": [
                self("duration", "p50"),
                self("duration", "p99"),
            ],
            "Tokens": [
                self("gen_ai.usage.input_tokens"),
                self("gen_ai.usage.output_tokens"),
                self("gen_ai.usage.cache_read.input_tokens"),
                self("gen_ai.usage.cache_write.input_tokens"),
            ],
            "Cost, and what the prompt cache saved (USD)": [
                self("cost_usd"),
                self("cache_savings_usd"),
            ],
            "Claude: 429, spend cap, 529, key": [
                self("upstream_rate_limited"),
                self("upstream_spend_cap_reached"),
                self("upstream_overloaded"),
                self("key_missing"),
                self("key_rejected"),
            ],
            "Refused: over budget, too many, stopped": [
                self("refused_over_budget"),
                self("refused_too_many"),
                self("refused_stopped"),
            ],
            "Starts that imported the whole Claude SDK": [self("sdk_fallbacks")],
        }
