"""What is written down is what alarms watch and dashboards draw: one name for each thing."""

import json
from typing import Any

import pytest

from claude_core import messages, startup_warnings
from claude_core.incoming import Incoming
from claude_core.lazy import FALLBACKS
from claude_core.reply import Reply
from claude_core.routes import Table
from claude_core.telemetry import COUNTED, NAMESPACE, Telemetry
from stacks import PATTERNS
from tests.synth import template

HELLO = {"role": "user", "content": "hello"}
CHAT = {"active_streams", "open_sockets", "chats", "reconnects"}
JOBS = {
    *("jobs_accepted", "jobs_done", "jobs_failed", "jobs_dead", "jobs_in_flight"),
    *("workers_now", "workers_long", "worker_starts", "calls_started", "calls_throttled"),
    *("oldest_now_s", "oldest_long_s"),
    *("batches_created", "batches_overdue", "inbox_refused"),
}
ROUTED = {
    *("routed", "routing_cost_usd", "routing_saved_usd", "routing_fallbacks"),
    *(
        "classifications",
        "classifier_duration",
        "classifier_failures",
        "guesses_ended",
        "guesses_cost_usd",
    ),
    *(f"route_{intent}" for intent in Table.own().routes),
}
BESIDES = {"WebsocketStack": CHAT, "QueueStack": JOBS, "OrchestratorStack": ROUTED}
"""What a pattern writes that the others do not."""
EACH_PATTERN = pytest.mark.parametrize("stack", [pattern.__name__ for pattern in PATTERNS])


@EACH_PATTERN
def test_alarms_watch_the_names_that_telemetry_writes(stack: str) -> None:
    known = {*COUNTED.values(), "crashes", *BESIDES.get(stack, ())}
    if stack == "WebsocketStack":
        known.add("gen_ai.response.time_to_first_chunk")
    watched = set()
    for alarm in template("prod", stack).of_type("AWS::CloudWatch::Alarm").values():
        for metric in metrics_of(alarm):
            if not metric["Namespace"].startswith("AWS/"):
                assert metric["Namespace"] == NAMESPACE
                assert metric["MetricName"] in known
                assert metric["Dimensions"] == [{"Name": "service", "Value": f"prod-{stack}"}]
                watched.add(metric["MetricName"])
    assert {"crashes", "key_missing", "key_rejected", "upstream_overloaded"} <= watched


def metrics_of(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    """The one that it watches, or those that it counts with."""
    if "Metrics" not in alarm:
        return [alarm]
    return [one["MetricStat"]["Metric"] for one in alarm["Metrics"] if "MetricStat" in one]


@EACH_PATTERN
def test_the_dashboard_draws_every_metric_that_is_written(
    capsys: pytest.CaptureFixture[str], stack: str
) -> None:
    """What telemetry counts of a start, an answer, a failure, and a caller that left."""
    (drawn,) = template("dev", stack).of_type("AWS::CloudWatch::Dashboard").values()
    startup_warnings.add("a slow start", metric=FALLBACKS)
    telemetry, incoming = Telemetry("tests"), Incoming("id")
    request = messages.request({"model": "fast", "max_tokens": 5, "messages": [HELLO]})
    answer = Reply(b"", {"usage": {}, "stop_reason": "end_turn"})
    for error in COUNTED:
        telemetry.failed(incoming, error("x"), 1.0)
    telemetry.answered(incoming, "c", request, answer, cost=1, ms=1.0, first_token_ms=1.0)
    telemetry.left(incoming, "c", request, cost=1, guess=False)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    written = {
        metric["Name"]
        for line in lines
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", [])
        for metric in directive["Metrics"]
    }
    written |= BESIDES.get(stack, set())
    assert {name for name in written if f'\\"{name}\\"' not in json.dumps(drawn)} == set()
