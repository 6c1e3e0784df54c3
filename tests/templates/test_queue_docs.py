"""The queue page says what the templates say."""

import re

import pytest

from stacks.config import DEV, PROD
from stacks.parts.queue_rules import FILES, FUNCTIONS, LEASES, WORKERS
from stacks.parts.service_rules import STOP
from tests.synth import ROOT, Template, template

PAGE = (ROOT / "docs/patterns/queue.md").read_text()
NUMBERS = re.findall(r"^\| `(\w+)` \| (\d+) \| (\d+) \|", PAGE, re.MULTILINE)
HOURS = 730
VCPU, GB, NAT, ADDRESS, ALARM, METRIC = 0.03238, 0.00356, 0.045, 0.005, 0.10, 0.30
SNAPSHOT, RECEIVE = 6.84, 0.40 / 1_000_000
POLLERS = 5
"""That Lambda asks a queue with, at once:
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html"""
RECEIVES = 3 * 60 * HOURS
"""Of one poller: a long poll takes 20 s."""


def test_each_number_on_the_page_is_the_one_in_the_configuration() -> None:
    for name, dev, prod in NUMBERS:
        assert (getattr(DEV, name), getattr(PROD, name)) == (int(dev), int(prod)), name
    ruled = {rule.field for rule in (*LEASES, *WORKERS, *FUNCTIONS, *FILES, *STOP)}
    assert ruled - {name for name, _, _ in NUMBERS} == {"result_buckets"}


def counted(found: Template) -> tuple[int, int]:
    """Metrics that alarms count with, and those of the two alarms of each tracking."""
    alarms = sum(
        sum("MetricStat" in metric for metric in alarm.get("Metrics", [])) or 1
        for alarm in found.of_type("AWS::CloudWatch::Alarm").values()
    )
    tracked = [
        policy["TargetTrackingScalingPolicyConfiguration"]["CustomizedMetricSpecification"]
        for policy in found.of_type("AWS::ApplicationAutoScaling::ScalingPolicy").values()
        if policy["PolicyType"] == "TargetTrackingScaling"
    ]
    return alarms, sum(
        2 * sum("MetricStat" in metric for metric in one["Metrics"]) for one in tracked
    )


@pytest.mark.parametrize("column", [0, 1])
def test_each_cost_on_the_page_follows_from_the_template_and_the_prices(column: int) -> None:
    config = (DEV, PROD)[column]
    rows = re.findall(r"^\| ([^|\n]*) \| \**([\d.]+)\** \| \**([\d.]+)\** \|$", PAGE, re.MULTILINE)
    shown = [float(row[1 + column]) for row in rows]
    found = template(config.environment, "QueueStack")
    size = config.worker_cpu / 1_024 * VCPU + config.worker_memory_mb / 1_024 * GB
    network = template(config.environment, "NetworkStack")
    gateways = len(network.of_type("AWS::EC2::NatGateway"))
    acls = found.of_type("AWS::WAFv2::WebACL").values()
    functions = found.of_type("AWS::Lambda::Function").values()
    sources = len(found.of_type("AWS::Lambda::EventSourceMapping"))
    costs = [
        config.worker_min_tasks * size * HOURS,
        gateways * (NAT + ADDRESS) * HOURS,
        sum(5.0 + len(acl["Rules"]) for acl in acls),
        sum("SnapStart" in function for function in functions) * SNAPSHOT,
        sum(counted(found)) * ALARM,
        config.worker_min_tasks * 3 * METRIC,
        (POLLERS * sources + config.worker_min_tasks) * RECEIVES * RECEIVE,
    ]
    assert shown == pytest.approx([*costs, sum(costs)], abs=0.011)


def test_the_metrics_of_the_alarms_are_as_many_as_the_page_says() -> None:
    (said,) = re.findall(r"(\d+) metrics of alarms in dev, (\d+) in prod, (\d+) of them", PAGE)
    found = [counted(template(env, "QueueStack")) for env in ("dev", "prod")]
    assert tuple(map(int, said)) == (*(sum(one) for one in found), found[0][1])


def test_the_readme_says_what_the_page_says() -> None:
    (dev, prod) = re.findall(r"\*\*together\*\* \| \*\*([\d.]+)\*\* \| \*\*([\d.]+)\*\*", PAGE)[0]
    row = f"#what-it-costs-idle) | {dev} | {prod} |"
    assert row in (ROOT / "README.md").read_text()


def test_a_task_of_an_hour_costs_what_the_page_says() -> None:
    size = DEV.worker_cpu / 1_024 * VCPU + DEV.worker_memory_mb / 1_024 * GB
    assert f"{size:.4f} USD an hour while it runs" in PAGE
    assert f"with its public address {size + ADDRESS:.4f}" in PAGE.replace("\n", " ")


def test_the_promise_to_long_jobs_is_the_one_in_the_configuration() -> None:
    assert f"for `long` {DEV.long_promise_s:,}" in PAGE
    assert DEV.long_promise_s == PROD.long_promise_s
