"""What is watched of queues, workers and the functions beside them: alarms and graphs."""

from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ecs as ecs

from stacks.config import Config
from stacks.parts.alarms import PERIOD, Row
from stacks.parts.dashboard import Graphs
from stacks.parts.function import Function
from stacks.parts.job_queue import JobQueue
from stacks.parts.kit_metrics import KitMetrics

ENOUGH = 20
"""Calls in five minutes, below which a share of them says nothing."""


def queue_alarms(
    config: Config, kit: KitMetrics, queues: Mapping[str, JobQueue]
) -> tuple[Row, ...]:
    """Of jobs that do not end, or end badly."""
    late = {"now": config.queue_promise_s, "long": config.long_promise_s}
    throttled = cloudwatch.MathExpression(
        expression=f"IF(started >= {ENOUGH}, 100 * throttled / started, 0)",
        label="Calls that Claude refused as too many (%)",
        period=PERIOD,
        using_metrics={"started": kit("calls_started"), "throttled": kit("calls_throttled")},
    )
    starts = kit("worker_starts").with_(period=Duration.minutes(15))
    return (
        *(
            Row(
                f"{name.title()}DeadLetters",
                one.dead.metric_approximate_number_of_messages_visible(period=PERIOD),
                1,
                f"there are dead letters ({name}): see why, then run: kit jobs redrive",
            )
            for name, one in queues.items()
        ),
        *(
            Row(
                f"{name.title()}Late",
                _oldest(kit, name, queues[name]),
                promised,
                f"the oldest job ({name}) is older than promised: Claude, workers or max_tasks",
            )
            for name, promised in late.items()
        ),
        Row("Throttled", throttled, config.throttled_percent, "ask for higher rate limits", 2),
        Row("WorkerRestarts", starts, config.starts_per_15_min, "workers end early; see their log"),
        Row("BatchesOverdue", kit("batches_overdue"), 1, "a batch took longer than a day"),
        Row("InboxRefused", kit("inbox_refused"), 1, "files were refused; refused/ says why"),
    )


def function_alarms(functions: Mapping[str, Function]) -> tuple[Row, ...]:
    """Of those that crash, or that Lambda does not run."""
    return tuple(
        row
        for name, one in functions.items()
        for row in (
            Row(
                f"{name.title()}Errors",
                one.function.metric_errors(),
                1,
                f"the function {name} crashed or ran out of time",
            ),
            Row(
                f"{name.title()}Throttles",
                one.function.metric_throttles(),
                1,
                "Lambda refused calls: raise the account's concurrency",
            ),
        )
    )


def queue_graphs(
    kit: KitMetrics, queues: Mapping[str, JobQueue], services: Mapping[str, ecs.FargateService]
) -> Graphs:
    """What stands above the graphs of every pattern."""
    ours = {name: one for name, one in queues.items() if name in services}
    return {
        "Jobs accepted, done, failed, dead": [
            kit(name) for name in ("jobs_accepted", "jobs_done", "jobs_failed", "jobs_dead")
        ],
        "Jobs waiting and in flight, as the queues see them": [
            metric
            for one in ours.values()
            for metric in (
                one.queue.metric_approximate_number_of_messages_visible(),
                one.queue.metric_approximate_number_of_messages_not_visible(),
            )
        ],
        "Age of the oldest job (s)": [_oldest(kit, name, one) for name, one in ours.items()],
        "Dead letters": [
            one.dead.metric_approximate_number_of_messages_visible() for one in queues.values()
        ],
        "Workers, and how many were started": [
            *(kit(f"workers_{name}").with_(period=Duration.minutes(1)) for name in services),
            kit("worker_starts"),
        ],
        "Jobs in flight in a worker, average and most": [
            kit("jobs_in_flight", "Average"),
            kit("jobs_in_flight", "Maximum"),
        ],
        "Calls, and those that Claude refused as too many": [
            kit("calls_started"),
            kit("calls_throttled"),
        ],
        "Batches created and overdue; files refused": [
            kit(name) for name in ("batches_created", "batches_overdue", "inbox_refused")
        ],
        "CPU and memory of the workers (%)": [
            metric
            for one in services.values()
            for metric in (one.metric_cpu_utilization(), one.metric_memory_utilization())
        ],
    }


def _oldest(kit: KitMetrics, name: str, one: JobQueue) -> cloudwatch.MathExpression:
    """Of what waits, as the queue has it, and of what its workers have seen: the queue's metric
    leaves out what it has handed out three times, and so what waits for Claude."""
    return cloudwatch.MathExpression(
        expression=f"MAX([FILL(waiting_{name}, 0), FILL(seen_{name}, 0)])",
        label=f"Oldest job ({name})",
        period=PERIOD,
        using_metrics={
            f"waiting_{name}": one.queue.metric_approximate_age_of_oldest_message(),
            f"seen_{name}": kit(f"oldest_{name}_s", "Maximum"),
        },
    )
