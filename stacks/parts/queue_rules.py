"""What the numbers of queues and workers must be, and in which order."""

import re

from stacks.config import Config
from stacks.parts.rules import API, Rule, between
from stacks.parts.service_rules import IMAGE, STOP, size

PROTECTED_S = 3_600
"""That a worker keeps its task from being scaled in, at most."""
SQS_RECEIVES = 1_000
"""https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html"""
SQS_DAYS = 14
BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


def _buckets(names: tuple[str, ...], _: Config) -> bool:
    return all(BUCKET.fullmatch(name) for name in names)


LEASES = (
    Rule(
        "heartbeat_s",
        lambda value, config: value >= 1 and 2 * value < config.visibility_s,
        "must be below half of visibility_s, or one lost heartbeat loses the job",
    ),
    Rule(
        "visibility_s",
        lambda value, config: value < config.job_timeout_s,
        "must be below job_timeout_s: it is renewed while a worker lives, and no longer",
    ),
    Rule(
        "job_timeout_s",
        lambda value, config: value <= config.long_job_timeout_s,
        "must be at most long_job_timeout_s",
    ),
    Rule(
        "long_job_timeout_s",
        lambda value, config: value + config.drain_s < PROTECTED_S,
        "must end, with drain_s, within the hour that a task is protected from scaling",
    ),
    Rule(
        "queue_promise_s",
        lambda value, config: value >= config.job_timeout_s,
        "must be at least job_timeout_s, or a job that takes its time rings the alarm",
    ),
    Rule(
        "job_receives",
        between(100, SQS_RECEIVES),
        "must be 100 to 1000, SQS's own limit: jobs that wait for Claude are received often",
    ),
)
WORKERS = (
    *size("worker"),
    Rule("worker_slots", between(1, 2_000), "must be 1 to 2000"),
    Rule(
        "long_slots",
        lambda value, config: 1 <= value <= config.worker_slots,
        "must be 1 to worker_slots: what is streamed takes more CPU",
    ),
    Rule(
        "worker_bytes",
        lambda value, config: 1024**2 <= value <= config.worker_memory_mb * 1024**2 / 4,
        "must be 1 MiB to a quarter of worker_memory_mb: a request is held more than once",
    ),
    Rule(
        "worker_min_tasks",
        lambda value, config: 0 <= value <= config.worker_max_tasks,
        "must be 0 to worker_max_tasks",
    ),
    Rule("worker_max_tasks", between(1, 1_000), "must be 1 to 1000"),
    Rule("long_max_tasks", between(1, 1_000), "must be 1 to 1000"),
    Rule(
        "worker_spot_percent",
        between(0, 99),
        "must be 0 to 99: with no share on demand ECS may place no task at all",
    ),
    Rule("backlog_per_task", between(1, 1_000_000), "must be 1 to 1000000"),
    Rule("long_backlog_per_task", between(1, 1_000_000), "must be 1 to 1000000"),
    Rule(
        "starts_per_15_min",
        lambda value, config: value > config.worker_max_tasks + config.long_max_tasks,
        "must be above worker_max_tasks + long_max_tasks: a scale-out starts as many",
    ),
    Rule("throttled_percent", between(1, 100), "must be 1 to 100"),
)
FUNCTIONS = (
    Rule("inbox_timeout_s", between(30, 900), "must be 30 to 900, Lambda's limit"),
    Rule("batch_timeout_s", between(30, 900), "must be 30 to 900, Lambda's limit"),
    Rule("batch_delay_s", between(0, 900), "must be 0 to 900, SQS's limit"),
    Rule("batch_window_s", between(0, 300), "must be 0 to 300, Lambda's limit"),
    *(
        Rule(
            f"{name}_concurrency",
            between(2, 1_000),
            "must be 2 to 1000: a queue feeds a function no slower",
        )
        for name in ("inbox", "batch")
    ),
    *(
        Rule(f"{name}_receives", between(5, SQS_RECEIVES), "must be 5 to 1000, SQS's own limit")
        for name in ("inbox", "batch")
    ),
    Rule(
        "inbox_visibility_s",
        lambda value, config: value >= 6 * config.inbox_timeout_s,
        "must be six times inbox_timeout_s",
    ),
    Rule(
        "batch_visibility_s",
        lambda value, config: value >= 6 * config.batch_timeout_s + config.batch_window_s,
        "must be six times batch_timeout_s, and batch_window_s",
    ),
)
FILES = (
    Rule("job_days", between(1, 365), "must be 1 to 365"),
    Rule("upload_days", between(1, 365), "must be 1 to 365"),
    Rule(
        "body_days",
        between(SQS_DAYS + 1, 365),
        "must be 15 to 365: SQS keeps what waits for 14 days",
    ),
    Rule(
        "inbox_days", between(SQS_DAYS, 3_650), "must be 14 to 3650: SQS keeps what waits so long"
    ),
    Rule("replaced_days", between(1, 365), "must be 1 to 365"),
    Rule("result_buckets", _buckets, "must be names of buckets"),
)
QUEUE = (*API, *IMAGE, *STOP, *LEASES, *WORKERS, *FUNCTIONS, *FILES)
