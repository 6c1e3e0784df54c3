"""QueueStack: each trap of SQS, Fargate, scaling and S3 that it avoids."""

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from claude_core.http_routes import Backend, route_names
from claude_core.jobs.settings import InboxSettings, JobSettings, StartSettings, WorkerSettings
from claude_core.jobs.store import KEPT
from claude_core.settings import Environment, Settings
from local.routes import routes
from stacks.config import ENVIRONMENTS
from stacks.parts.job_table import LISTED, WAITING
from tests import queueing
from tests.synth import PROD_GIVEN, Template, assembly, template

EACH_ENV = pytest.mark.parametrize("env", ENVIRONMENTS)
LANES = ("now", "long")
EACH_LANE = pytest.mark.parametrize("lane", LANES)


def stack(env: str = "dev") -> Template:
    return template(env, "QueueStack")


def all_of(env: str, kind: str, *, begins: str = "") -> dict[str, dict[str, Any]]:
    found = stack(env).of_type(kind).items()
    return {id: one for id, one in found if id.startswith(begins)}


def one(env: str, kind: str, *, begins: str = "") -> dict[str, Any]:
    (found,) = all_of(env, kind, begins=begins).values()
    return found


def id_of(env: str, kind: str, *, begins: str) -> str:
    (found,) = all_of(env, kind, begins=begins)
    return found


def queue(env: str, name: str) -> dict[str, Any]:
    return one(env, "AWS::SQS::Queue", begins=f"{STORED.get(name, '')}{name}Queue")


TOLD_TO_WORKERS: tuple[type[Environment], ...] = (Settings, JobSettings, WorkerSettings)
TOLD_TO_FUNCTIONS: tuple[type[Environment], ...] = (Settings, JobSettings, StartSettings)
STORED = dict.fromkeys(("Now", "Long", "Batch"), "Store")
"""Where in the stack a queue is made."""


def container(env: str, lane: str) -> dict[str, Any]:
    definition = one(env, "AWS::ECS::TaskDefinition", begins=f"Workers{lane.title()}Task")
    (found,) = definition["ContainerDefinitions"]
    return dict(found)


def told(env: str, lane: str) -> dict[str, Any]:
    return {pair["Name"]: pair["Value"] for pair in container(env, lane)["Environment"]}


def function(env: str, name: str) -> dict[str, Any]:
    return one(env, "AWS::Lambda::Function", begins=f"{name}Function")


def service(env: str, lane: str) -> dict[str, Any]:
    return one(env, "AWS::ECS::Service", begins=f"Workers{lane.title()}Service")


def policy(env: str, lane: str, kind: str) -> dict[str, Any]:
    begins = f"Workers{lane.title()}Backlog"
    (found,) = (
        one
        for one in all_of(env, "AWS::ApplicationAutoScaling::ScalingPolicy", begins=begins).values()
        if one["PolicyType"] == kind
    )
    return found


@EACH_ENV
@EACH_LANE
def test_two_heartbeats_fit_into_a_lease_and_many_leases_into_a_job(env: str, lane: str) -> None:
    env_told = told(env, lane)
    names = ("HEARTBEAT_S", "VISIBILITY_S", "JOB_TIMEOUT_S")
    heartbeat, visibility, timeout = (int(env_told[name]) for name in names)
    assert 2 * heartbeat < visibility < timeout
    assert visibility == queue(env, lane.title())["VisibilityTimeout"]
    assert timeout + int(env_told["DRAIN_S"]) < 3_600, "a task is protected for an hour"
    assert int(env_told["ANSWER_TIMEOUT_S"]) == timeout


@EACH_ENV
def test_a_job_that_waits_for_claude_is_no_dead_letter_however_often_it_goes_back(
    env: str,
) -> None:
    for lane in LANES:
        assert queue(env, lane.title())["RedrivePolicy"]["maxReceiveCount"] == 1_000


@EACH_ENV
def test_what_a_weekend_breaks_is_still_there_encrypted_and_never_in_the_clear(env: str) -> None:
    queues = all_of(env, "AWS::SQS::Queue")
    assert len(queues) == 8
    for id, made in queues.items():
        assert made["MessageRetentionPeriod"] == 14 * 86_400, id
        assert made["SqsManagedSseEnabled"] is True, id
        assert "FifoQueue" not in made, "fair queues are standard ones"
        assert ("RedrivePolicy" in made) is ("Dead" not in id)
    refused = [
        statement
        for one in all_of(env, "AWS::SQS::QueuePolicy").values()
        for statement in one["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny"
    ]
    assert len(refused) == 8
    assert all(one["Condition"] == {"Bool": {"aws:SecureTransport": "false"}} for one in refused)


@EACH_ENV
@pytest.mark.parametrize(("name", "window"), [("Batch", 5), ("Inbox", 0)])
def test_a_queue_that_feeds_a_function_hides_six_times_as_long_as_it_may_take(
    env: str, name: str, window: int
) -> None:
    timeout = function(env, name)["Timeout"]
    assert queue(env, name)["VisibilityTimeout"] == 6 * timeout + window
    source = one(env, "AWS::Lambda::EventSourceMapping", begins=f"{name}Function")
    assert source.get("MaximumBatchingWindowInSeconds", 0) == window


@EACH_ENV
def test_one_bad_message_does_not_send_the_others_back_nor_a_full_queue_take_every_function(
    env: str,
) -> None:
    sources = all_of(env, "AWS::Lambda::EventSourceMapping")
    assert len(sources) == 2
    for source in sources.values():
        assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert source["ScalingConfig"]["MaximumConcurrency"] >= 2
        assert ":live" in json.dumps(source["FunctionName"])


@EACH_ENV
@EACH_LANE
def test_tasks_follow_what_waits_and_what_is_in_flight_for_each_task(env: str, lane: str) -> None:
    config = ENVIRONMENTS[env]
    tracked = policy(env, lane, "TargetTrackingScaling")["TargetTrackingScalingPolicyConfiguration"]
    metrics = {one["Id"]: one for one in tracked["CustomizedMetricSpecification"]["Metrics"]}
    (returned,) = (one for one in metrics.values() if one["ReturnData"])
    assert re.sub(r"FILL\((\w+), 0\)", r"\1", returned["Expression"]) == (
        "(waiting + in_flight) / IF(tasks > 0, tasks, 1)"
    )
    sqs = {
        name: metrics[name]["MetricStat"]["Metric"]["MetricName"]
        for name in ("waiting", "in_flight")
    }
    assert sqs == {
        "waiting": "ApproximateNumberOfMessagesVisible",
        "in_flight": "ApproximateNumberOfMessagesNotVisible",
    }
    own = id_of(env, "AWS::SQS::Queue", begins=f"Store{lane.title()}Queue")
    for name in sqs:
        (dimension,) = metrics[name]["MetricStat"]["Metric"]["Dimensions"]
        assert dimension["Value"]["Fn::GetAtt"] == [own, "QueueName"]
    target = {"now": config.backlog_per_task, "long": config.long_backlog_per_task}
    assert tracked["TargetValue"] == target[lane]
    assert tracked["ScaleOutCooldown"] < tracked["ScaleInCooldown"]


@EACH_ENV
@EACH_LANE
def test_a_metric_that_falls_silent_is_zero_or_the_scaling_would_stop(env: str, lane: str) -> None:
    """An idle queue has no metrics after six hours, and a stopped worker writes none."""
    tracked = policy(env, lane, "TargetTrackingScaling")["TargetTrackingScalingPolicyConfiguration"]
    metrics = tracked["CustomizedMetricSpecification"]["Metrics"]
    (expression,) = (one["Expression"] for one in metrics if one["ReturnData"])
    bare = re.sub(r"FILL\(\w+, 0\)", "", expression)
    assert not [one["Id"] for one in metrics if re.search(rf"\b{one['Id']}\b", bare)]


@EACH_ENV
@EACH_LANE
def test_each_service_counts_its_own_workers_since_two_share_the_stacks_metrics(
    env: str, lane: str
) -> None:
    tracked = policy(env, lane, "TargetTrackingScaling")["TargetTrackingScalingPolicyConfiguration"]
    metrics = {one["Id"]: one for one in tracked["CustomizedMetricSpecification"]["Metrics"]}
    counted = metrics["tasks"]["MetricStat"]
    assert counted["Stat"] == "Sum"
    assert counted["Metric"]["MetricName"] == f"workers_{lane}"
    assert told(env, lane)["TAKES"] == lane


@pytest.mark.parametrize(
    ("env", "lane", "least", "most"),
    [
        ("dev", "now", 0, 2),
        ("dev", "long", 0, 2),
        ("prod", "now", 1, 10),
        ("prod", "long", 0, 4),
    ],
)
def test_nothing_runs_in_dev_when_there_is_nothing_to_do(
    env: str, lane: str, least: int, most: int
) -> None:
    begins = f"Workers{lane.title()}Service"
    target = one(env, "AWS::ApplicationAutoScaling::ScalableTarget", begins=begins)
    assert (target["MinCapacity"], target["MaxCapacity"]) == (least, most)
    assert "DesiredCount" not in service(env, lane), "a deploy would end tasks in use, or start one"


@pytest.mark.parametrize(
    ("env", "lanes"), [("dev", {"Now", "Long"}), ("prod", {"Long"}), ("local", {"Now", "Long"})]
)
def test_a_job_that_came_while_the_last_task_was_leaving_is_not_left_alone(
    env: str, lanes: set[str]
) -> None:
    """One job is below what the tracking acts on, and its sender saw a task."""
    alone = {
        id: one
        for id, one in all_of(env, "AWS::CloudWatch::Alarm", begins="Workers").items()
        if "Alone" in id
    }
    assert {id.removeprefix("Workers").partition("Backlog")[0] for id in alone} == lanes
    for alarm in alone.values():
        (rings,) = (one["Expression"] for one in alarm["Metrics"] if "Expression" in one)
        assert rings == "IF(FILL(waiting, 0) > 0 AND FILL(tasks, 0) < 1, 1, 0)"
    for name in lanes:
        step = policy(env, name.lower(), "StepScaling")["StepScalingPolicyConfiguration"]
        # Not to exactly one: a minute without metrics would end all others.
        assert step["AdjustmentType"] == "ChangeInCapacity"
        assert step["StepAdjustments"] == [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}]


@EACH_ENV
def test_the_first_task_is_on_demand_and_what_takes_an_hour_never_on_spot(env: str) -> None:
    now = service(env, "now")["CapacityProviderStrategy"]
    assert now == [
        {"Base": 1, "CapacityProvider": "FARGATE", "Weight": 25},
        {"CapacityProvider": "FARGATE_SPOT", "Weight": 75},
    ]
    (only,) = service(env, "long")["CapacityProviderStrategy"]
    assert only["CapacityProvider"] == "FARGATE"


@EACH_ENV
def test_the_cluster_has_its_capacity_providers_before_a_service_asks_for_one(env: str) -> None:
    assert not all_of(env, "AWS::ECS::ClusterCapacityProviderAssociations")
    assert one(env, "AWS::ECS::Cluster") == {"CapacityProviders": ["FARGATE", "FARGATE_SPOT"]}


@EACH_ENV
@EACH_LANE
def test_a_service_without_a_load_balancer_has_no_grace_period_or_ecs_refuses_it(
    env: str, lane: str
) -> None:
    made = service(env, lane)
    assert "HealthCheckGracePeriodSeconds" not in made
    assert not made["LoadBalancers"]
    assert made["AvailabilityZoneRebalancing"] == "DISABLED", "it would end jobs for balance's sake"
    assert made["DeploymentConfiguration"] == {
        "DeploymentCircuitBreaker": {"Enable": True, "Rollback": True},
        "MaximumPercent": 200,
        "MinimumHealthyPercent": 100,
    }


@EACH_ENV
def test_nobody_reaches_a_worker_and_a_worker_reaches_only_https(env: str) -> None:
    groups = all_of(env, "AWS::EC2::SecurityGroup")
    assert len(groups) == 2
    assert not all_of(env, "AWS::EC2::SecurityGroupIngress")
    for group in groups.values():
        assert "SecurityGroupIngress" not in group
        (out,) = group["SecurityGroupEgress"]
        assert (out["IpProtocol"], out["FromPort"], out["ToPort"]) == ("tcp", 443, 443)
    for lane in LANES:
        assert "PortMappings" not in container(env, lane)


@EACH_ENV
@EACH_LANE
def test_a_worker_is_nobody_writes_nowhere_and_has_its_two_minutes_to_end(
    env: str, lane: str
) -> None:
    made = container(env, lane)
    assert made["ReadonlyRootFilesystem"] is True
    assert made["LinuxParameters"]["Capabilities"] == {"Drop": ["ALL"]}
    assert made["User"] == "10001:10001"
    assert made["Command"] == ["python", "-m", "worker_src"]
    assert (told(env, lane)["DRAIN_S"], made["StopTimeout"]) == ("110", 120)
    assert made["HealthCheck"]["Command"][:3] == ["CMD", "python", "-c"]
    assert "/health" in made["HealthCheck"]["Command"][3]
    assert "Secrets" not in made


@EACH_ENV
def test_requests_in_flight_fit_into_the_memory_four_times_over(env: str) -> None:
    for lane in LANES:
        memory = one(env, "AWS::ECS::TaskDefinition", begins=f"Workers{lane.title()}Task")["Memory"]
        assert 4 * int(told(env, lane)["BYTES_IN_FLIGHT"]) <= int(memory) * 1024**2
    assert int(told(env, "long")["SLOTS"]) < int(told(env, "now")["SLOTS"])


@EACH_ENV
def test_each_part_is_told_all_that_it_reads(env: str) -> None:
    for lane in LANES:
        for kind in TOLD_TO_WORKERS:
            kind.from_env(told(env, lane))
    for name in ("Jobs", "Inbox", "Batch"):
        for kind in TOLD_TO_FUNCTIONS:
            kind.from_env(function(env, name)["Environment"]["Variables"])
        assert function(env, name)["Handler"] == f"lambda_src.{name.lower()}.handler"
    InboxSettings.from_env(function(env, "Inbox")["Environment"]["Variables"])


@EACH_ENV
def test_each_queue_is_told_under_its_own_name(env: str) -> None:
    """Two that are mixed up would still deploy."""
    env_told = told(env, "now")
    for field in (field.name for field in fields(JobSettings)):
        if match := re.fullmatch(r"(\w+)_(queue|dlq)", field):
            kind = "Queue" if match[2] == "queue" else "Dead"
            assert env_told[field.upper()]["Ref"].startswith(f"Store{match[1].title()}{kind}")
    outputs = stack(env).body["Outputs"]
    for name in ("Now", "Long", "Batch"):
        for key, kind in (("Queue", "Queue"), ("Dlq", "Dead")):
            refers = outputs[f"{name}{key}Name"]["Value"]["Fn::GetAtt"]
            assert refers[0].startswith(f"Store{name}{kind}")
    for lane in LANES:
        refers = outputs[f"{lane.title()}ServiceName"]["Value"]["Fn::GetAtt"]
        assert refers[0].startswith(f"Workers{lane.title()}Service")


def test_what_a_program_looks_up_is_among_the_outputs() -> None:
    ours = {key for key in stack().body["Outputs"] if not key.startswith("RestApiEndpoint")}
    assert ours == {
        *("ApiUrl", "JobsTableName", "FilesBucketName", "EventBusName", "ClusterName"),
        *("NowQueueName", "NowDlqName", "LongQueueName", "LongDlqName"),
        *("BatchQueueName", "BatchDlqName", "NowServiceName", "LongServiceName"),
    }


def test_every_route_is_served_by_the_one_function_that_a_caller_waits_for() -> None:
    deployed = routes(stack().body["Resources"])
    assert {f"{one.method} {one.path}" for one in deployed} == set(route_names(Backend.JOBS))
    assert all(one.function.startswith("JobsFunction") for one in deployed)
    assert not any(one.streams for one in deployed)


def test_only_the_function_that_is_waited_for_pays_for_a_snapshot() -> None:
    snaps = {name: function("prod", name).get("SnapStart") for name in ("Jobs", "Inbox", "Batch")}
    assert snaps == {"Jobs": {"ApplyOn": "PublishedVersions"}, "Inbox": None, "Batch": None}


@EACH_ENV
def test_files_are_private_versioned_and_end_and_their_bucket_outlives_the_stack(env: str) -> None:
    bucket = one(env, "AWS::S3::Bucket")
    assert all(bucket["PublicAccessBlockConfiguration"].values())
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    ends = {
        rule.get("Prefix"): rule.get("ExpirationInDays")
        for rule in bucket["LifecycleConfiguration"]["Rules"]
    }
    config = ENVIRONMENTS[env]
    assert ends == {
        "uploads/": config.upload_days,
        "bodies/": config.body_days,
        "results/": config.job_days + 1,
        "inbox/": config.inbox_days,
        "refused/": config.inbox_days,
        None: None,
    }
    assert config.body_days > KEPT.days, "a job may be begun as long as its row is there"
    (resource,) = (
        one for one in stack(env).body["Resources"].values() if one["Type"] == "AWS::S3::Bucket"
    )
    assert resource["DeletionPolicy"] == "Retain"


@EACH_ENV
def test_s3_itself_tells_of_the_inbox_alone_and_no_function_sets_that_up(env: str) -> None:
    body = stack(env).body["Resources"]
    assert not [one["Type"] for one in body.values() if one["Type"].startswith("Custom::")]
    assert len(all_of(env, "AWS::Lambda::Function")) == 3
    inbox = id_of(env, "AWS::SQS::Queue", begins="InboxQueue")
    (sent,) = one(env, "AWS::S3::Bucket")["NotificationConfiguration"]["QueueConfigurations"]
    assert sent["Queue"] == {"Fn::GetAtt": [inbox, "Arn"]}
    assert sent["Filter"]["S3Key"]["Rules"] == [{"Name": "prefix", "Value": "inbox/"}]


@EACH_ENV
def test_s3_may_send_before_the_bucket_is_there_and_no_other_account_may(env: str) -> None:
    policy_id = id_of(env, "AWS::SQS::QueuePolicy", begins="InboxQueuePolicy")
    (allowed,) = (
        statement
        for statement in stack(env).of_type("AWS::SQS::QueuePolicy")[policy_id]["PolicyDocument"][
            "Statement"
        ]
        if statement["Effect"] == "Allow"
    )
    assert allowed["Principal"] == {"Service": "s3.amazonaws.com"}
    assert allowed["Condition"] == {
        "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    }
    (bucket,) = (
        one for one in stack(env).body["Resources"].values() if one["Type"] == "AWS::S3::Bucket"
    )
    assert policy_id in bucket["DependsOn"]


@EACH_ENV
def test_jobs_end_by_themselves_are_listed_by_client_and_found_by_batches(env: str) -> None:
    table = one(env, "AWS::DynamoDB::Table")
    assert [key["AttributeName"] for key in table["KeySchema"]] == ["id"]
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert bool(table["DeletionProtectionEnabled"]) is ENVIRONMENTS[env].keep_data
    indexes = {one["IndexName"]: one for one in table["GlobalSecondaryIndexes"]}
    keys = {
        name: [key["AttributeName"] for key in one["KeySchema"]] for name, one in indexes.items()
    }
    assert keys == {"by_client": ["client", "listed"], "waiting": ["waiting", "created"]}
    # With bodies and results in it, a list of 100 jobs could be read at 20 MB.
    for index in indexes.values():
        assert index["Projection"]["ProjectionType"] == "INCLUDE"
        kept = set(index["Projection"]["NonKeyAttributes"])
        assert not kept & {"body", "result", "sha256"}


def test_the_indexes_that_other_tests_read_hold_what_the_deployed_ones_hold() -> None:
    assert (queueing.LISTED, queueing.WAITING) == (LISTED, WAITING)


TABLE = {"dynamodb:GetItem", "dynamodb:UpdateItem"}
CALLS = {"dynamodb:UpdateItem", "dynamodb:PutItem", "sns:Publish", "secretsmanager:GetSecretValue"}
STARTS = {"ecs:DescribeServices", "ecs:UpdateService"}
FED = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}
OBJECTS = {"s3:GetObject", "s3:PutObject"}
WORKS = {
    *(TABLE | CALLS | OBJECTS),
    *("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"),
    *("sqs:SendMessage", "events:PutEvents"),
    *("ecs:GetTaskProtection", "ecs:UpdateTaskProtection"),
}
MAKES = {*TABLE, "dynamodb:PutItem", *OBJECTS, "sqs:SendMessage", *STARTS, *LOGS}


@pytest.mark.parametrize(
    ("role", "may"),
    [
        ("WorkersNowTaskDefinitionTaskRole", WORKS),
        ("WorkersLongTaskDefinitionTaskRole", WORKS),
        ("JobsFunctionRole", MAKES | {"dynamodb:Query"}),
        ("InboxFunctionRole", MAKES | FED | {"s3:GetObjectVersion"}),
        ("BatchFunctionRole", MAKES | FED | CALLS | {"dynamodb:Query", "events:PutEvents"}),
    ],
)
def test_each_role_may_do_what_its_code_does(role: str, may: set[str]) -> None:
    assert {action for action, _ in grants(role)} == may


def grants(role: str) -> set[tuple[str, str]]:
    """Action and resource, as JSON."""
    return {
        (action, json.dumps(resource))
        for statement in one("dev", "AWS::IAM::Policy", begins=role)["PolicyDocument"]["Statement"]
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    }


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize(
    ("role", "action", "folders"),
    [
        ("JobsFunctionRole", "s3:GetObject", {"uploads", "results"}),
        ("JobsFunctionRole", "s3:PutObject", {"uploads", "bodies"}),
        ("InboxFunctionRole", "s3:GetObject", {"uploads"}),
        ("InboxFunctionRole", "s3:GetObjectVersion", {"inbox"}),
        ("InboxFunctionRole", "s3:PutObject", {"bodies", "refused"}),
        ("BatchFunctionRole", "s3:GetObject", {"bodies"}),
        ("BatchFunctionRole", "s3:PutObject", {"results"}),
        ("WorkersNowTaskDefinitionTaskRole", "s3:GetObject", {"bodies"}),
        ("WorkersNowTaskDefinitionTaskRole", "s3:PutObject", {"results"}),
    ],
)
def test_a_role_reaches_the_folders_that_it_works_in_and_no_other(
    role: str, action: str, folders: set[str]
) -> None:
    found = {
        folder
        for one, resource in grants(role)
        if one == action
        for folder in re.findall(r'"/(\w+)/\*"', resource)
    }
    assert found == folders


@EACH_LANE
def test_a_worker_empties_its_own_queue_and_buries_in_its_own_dead_letters(lane: str) -> None:
    name = lane.title()
    queues = {
        action: re.findall(r"Store(\w+?)[0-9A-F]{8}\b", resource)
        for action, resource in grants(f"Workers{name}TaskDefinitionTaskRole")
        if action.startswith("sqs:")
    }
    assert queues.pop("sqs:SendMessage") == [f"{name}Dead"]
    assert set(map(tuple, queues.values())) == {(f"{name}Queue",)}


@pytest.mark.parametrize("role", ["JobsFunctionRole", "InboxFunctionRole"])
def test_who_never_asks_claude_never_sees_its_key_nor_keeps_a_budget(role: str) -> None:
    assert not {"secretsmanager:GetSecretValue", "sns:Publish"} & {one for one, _ in grants(role)}


def test_events_go_to_a_bus_of_the_stacks_own_in_each_environment() -> None:
    names = {one(env, "AWS::Events::EventBus")["Name"] for env in ("dev", "prod")}
    assert names == {"QueueStack-jobs", "prod-QueueStack-jobs"}


def test_families_of_two_environments_in_one_account_do_not_mix() -> None:
    families = {
        made["Family"]
        for env in ("dev", "prod")
        for made in all_of(env, "AWS::ECS::TaskDefinition").values()
    }
    assert families == {
        f"{prefix}QueueStack-{lane}Task" for prefix in ("", "prod-") for lane in ("Now", "Long")
    }


def test_each_thing_that_goes_wrong_has_its_alarm() -> None:
    alarms = all_of("dev", "AWS::CloudWatch::Alarm")
    names = {re.sub(r"[0-9A-F]{8}$", "", id) for id in alarms}
    assert names == {
        *(f"{name}DeadLetters" for name in ("Now", "Long", "Batch", "Inbox")),
        *("NowLate", "LongLate", "Throttled", "WorkerRestarts", "BatchesOverdue", "InboxRefused"),
        *(
            f"{name}{kind}"
            for name in ("Jobs", "Inbox", "Batch")
            for kind in ("Errors", "Throttles")
        ),
        *("Crashes", "RateLimited", "SpendCap", "Overloaded", "KeyMissing", "KeyRejected"),
        *("WorkersNowBacklogAlone", "WorkersLongBacklogAlone"),
    }


@EACH_ENV
def test_one_dead_letter_is_enough_and_a_job_may_take_what_it_is_given(env: str) -> None:
    config = ENVIRONMENTS[env]
    for id, alarm in all_of(env, "AWS::CloudWatch::Alarm").items():
        if "DeadLetters" in id:
            assert alarm["Threshold"] == 1
            assert "Dead" in json.dumps(alarm["Dimensions"])
    for lane, given in (("Now", config.job_timeout_s), ("Long", config.long_job_timeout_s)):
        assert one(env, "AWS::CloudWatch::Alarm", begins=f"{lane}Late")["Threshold"] >= given


@EACH_ENV
@EACH_LANE
def test_jobs_that_wait_for_claude_age_too_though_sqs_counts_none_that_came_three_times(
    env: str, lane: str
) -> None:
    alarm = one(env, "AWS::CloudWatch::Alarm", begins=f"{lane.title()}Late")
    watched = {
        metric["MetricStat"]["Metric"]["MetricName"]
        for metric in alarm["Metrics"]
        if "MetricStat" in metric
    }
    assert watched == {"ApproximateAgeOfOldestMessage", f"oldest_{lane}_s"}


@EACH_ENV
def test_a_share_of_few_calls_rings_no_alarm_and_none_divides_by_zero(env: str) -> None:
    alarm = one(env, "AWS::CloudWatch::Alarm", begins="Throttled")
    (share,) = (one["Expression"] for one in alarm["Metrics"] if "Expression" in one)
    assert share == "IF(started >= 20, 100 * throttled / started, 0)"
    assert alarm["Threshold"] == ENVIRONMENTS[env].throttled_percent


@EACH_ENV
def test_a_scale_out_is_no_restart(env: str) -> None:
    alarm = one(env, "AWS::CloudWatch::Alarm", begins="WorkerRestarts")
    assert (alarm["MetricName"], alarm["Period"]) == ("worker_starts", 900)
    config = ENVIRONMENTS[env]
    assert alarm["Threshold"] > config.worker_max_tasks + config.long_max_tasks


def test_the_firewall_stands_before_the_api_in_prod() -> None:
    assert not all_of("dev", "AWS::WAFv2::WebACL")
    rules = {rule["Name"] for rule in one("prod", "AWS::WAFv2::WebACL")["Rules"]}
    assert rules == {"RatePerAddress", "MalformedKey"}


def test_in_prod_workers_stand_in_two_zones_without_a_public_address() -> None:
    for lane in LANES:
        network = service("prod", lane)["NetworkConfiguration"]["AwsvpcConfiguration"]
        assert network["AssignPublicIp"] == "DISABLED"
        assert len(network["Subnets"]) == 2


@EACH_ENV
def test_cdk_deploys_what_the_stack_stands_on_first(env: str) -> None:
    (found,) = (one for one in assembly(env).stacks if one.hierarchical_id == "QueueStack")
    assert {"SharedStack", "NetworkStack"} <= {artifact.id for artifact in found.dependencies}


@EACH_ENV
def test_both_services_run_one_image_on_the_base_that_the_configuration_names(env: str) -> None:
    listed = json.loads(Path(assembly(env).directory, "QueueStack.assets.json").read_text())
    (image,) = (one["source"] for one in listed["dockerImages"].values())
    given = PROD_GIVEN["base_image"] if env == "prod" else ENVIRONMENTS[env].base_image
    assert image["dockerBuildArgs"] == {"BASE": given}
    assert image["dockerFile"] == "worker_src/Dockerfile"
    assert image["platform"] == "linux/arm64"
