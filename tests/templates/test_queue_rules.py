"""Numbers of queues and workers that cannot be, or stand in the wrong order, stop at synth."""

from dataclasses import replace
from typing import Any

import pytest

from stacks.config import DEV, ENVIRONMENTS
from stacks.parts import queue_rules
from stacks.parts.job_queue import KEPT
from stacks.parts.queue_rules import FILES, FUNCTIONS, LEASES, WORKERS

OWN = (*LEASES, *WORKERS, *FUNCTIONS, *FILES)
BROKEN: tuple[tuple[str, Any], ...] = (
    ("heartbeat_s", 0),
    ("heartbeat_s", 60),
    ("visibility_s", 900),
    ("job_timeout_s", 3_301),
    ("long_job_timeout_s", 3_500),
    ("queue_promise_s", 899),
    ("job_receives", 5),
    ("job_receives", 1_001),
    ("worker_cpu", 2_048),
    ("worker_memory_mb", 4_096),
    ("worker_slots", 0),
    ("long_slots", 201),
    ("worker_bytes", 129 * 1024**2),
    ("worker_bytes", 1_000),
    ("worker_min_tasks", 3),
    ("worker_min_tasks", -1),
    ("worker_max_tasks", 0),
    ("long_max_tasks", 0),
    ("worker_spot_percent", 100),
    ("backlog_per_task", 0),
    ("long_backlog_per_task", 0),
    ("starts_per_15_min", 4),
    ("throttled_percent", 0),
    ("inbox_timeout_s", 901),
    ("batch_timeout_s", 901),
    ("batch_delay_s", 901),
    ("batch_window_s", 301),
    ("inbox_concurrency", 1),
    ("batch_concurrency", 1),
    ("inbox_receives", 4),
    ("batch_receives", 1_001),
    ("job_days", 0),
    ("upload_days", 0),
    ("body_days", 14),
    ("inbox_days", 13),
    ("replaced_days", 0),
    ("result_buckets", ("No_Bucket",)),
    ("result_buckets", ("fine", "a/b")),
)
DERIVED = {"inbox_visibility_s", "batch_visibility_s"}


@pytest.mark.parametrize(("field", "value"), BROKEN)
def test_a_rule_refuses_what_breaks_it_and_takes_what_stands(field: str, value: Any) -> None:
    (rule,) = (rule for rule in OWN if rule.field == field)
    assert not rule.holds(value, replace(DEV, **{field: value}))
    assert rule.says.startswith("must ")
    for sound in ENVIRONMENTS.values():
        assert rule.holds(getattr(sound, field), sound)


def test_every_rule_is_broken_here_once() -> None:
    assert {rule.field for rule in OWN} - {field for field, _ in BROKEN} == DERIVED


@pytest.mark.parametrize(
    ("field", "value", "allowed"),
    [
        ("inbox_visibility_s", 719, False),
        ("inbox_visibility_s", 720, True),
        ("batch_visibility_s", 1_804, False),
        ("batch_visibility_s", 1_805, True),
    ],
)
def test_what_follows_from_a_timeout_is_held_to_it_all_the_same(
    field: str, value: int, allowed: bool
) -> None:
    (rule,) = (rule for rule in FUNCTIONS if rule.field == field)
    assert rule.holds(value, DEV) is allowed


@pytest.mark.parametrize(
    ("given", "field", "allowed"),
    [
        ({"visibility_s": 30, "heartbeat_s": 14}, "heartbeat_s", True),
        ({"visibility_s": 28, "heartbeat_s": 14}, "heartbeat_s", False),
        ({"worker_memory_mb": 1_024, "worker_bytes": 256 * 1024**2}, "worker_bytes", True),
        ({"worker_memory_mb": 1_024, "worker_bytes": 257 * 1024**2}, "worker_bytes", False),
        ({"worker_max_tasks": 50, "starts_per_15_min": 53}, "starts_per_15_min", True),
        ({"worker_max_tasks": 50}, "starts_per_15_min", False),
        ({"result_buckets": ("results-of-ours", "a.b-c")}, "result_buckets", True),
        ({"long_job_timeout_s": 3_489}, "long_job_timeout_s", True),
        ({"long_job_timeout_s": 3_490}, "long_job_timeout_s", False),
    ],
)
def test_numbers_that_belong_together_are_held_against_each_other(
    given: dict[str, Any], field: str, allowed: bool
) -> None:
    config = replace(DEV, **given)
    (rule,) = (rule for rule in OWN if rule.field == field)
    assert rule.holds(getattr(config, field), config) is allowed


def test_the_days_of_the_rules_are_those_that_a_queue_is_made_with() -> None:
    assert KEPT.to_days() == queue_rules.SQS_DAYS
