"""WebsocketStack: each trap of the load balancer, Fargate and the network that it avoids."""

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Stack

from app import build
from claude_core.settings import ChatSettings, Runtime, Settings
from service_src.server import KEEP_ALIVE_S
from stacks.config import ENVIRONMENTS
from stacks.websocket import PORT
from tests.synth import PROD_GIVEN, Template, assembly, make_app, template
from tests.templates.firewall import blocks

EACH_ENV = pytest.mark.parametrize("env", ENVIRONMENTS)
ZONE = {
    "hosted_zone_id": "Z123",
    "hosted_zone_name": "example.com",
    "base_image": PROD_GIVEN["base_image"],
}


def stack(env: str = "dev") -> Template:
    return template(env, "WebsocketStack")


def one(env: str, kind: str) -> dict[str, Any]:
    (found,) = stack(env).of_type(kind).values()
    return found


def container(env: str) -> dict[str, Any]:
    (found,) = one(env, "AWS::ECS::TaskDefinition")["ContainerDefinitions"]
    return dict(found)


def environment(env: str) -> dict[str, Any]:
    return {pair["Name"]: pair["Value"] for pair in container(env)["Environment"]}


def attributes(env: str, kind: str) -> dict[str, Any]:
    """Of a load balancer, or of its target group."""
    made = one(env, f"AWS::ElasticLoadBalancingV2::{kind}")
    return {pair["Key"]: pair["Value"] for pair in made[f"{kind}Attributes"]}


def listeners(template: Template) -> dict[int, dict[str, Any]]:
    found = template.of_type("AWS::ElasticLoadBalancingV2::Listener").values()
    return {listener["Port"]: listener for listener in found}


@EACH_ENV
def test_a_stream_drains_before_it_is_killed_and_is_killed_before_it_is_cut_off(env: str) -> None:
    drain, stop = int(environment(env)["DRAIN_S"]), container(env)["StopTimeout"]
    cut = int(attributes(env, "TargetGroup")["deregistration_delay.timeout_seconds"])
    assert (drain, stop, cut) == (110, 120, 150)


@EACH_ENV
def test_the_service_keeps_a_connection_longer_than_the_load_balancer_or_that_answers_502(
    env: str,
) -> None:
    idle = int(attributes(env, "LoadBalancer")["idle_timeout.timeout_seconds"])
    assert (idle, ENVIRONMENTS[env].keep_alive_s) == (300, 310)
    assert ENVIRONMENTS[env].keep_alive_s == KEEP_ALIVE_S
    # Two pings fit into the silence that the load balancer bears, and a whole answer too.
    assert all(2 * int(environment(env)[name]) <= idle for name in ("PING_S", "WS_PING_S"))
    assert int(environment(env)["ANSWER_TIMEOUT_S"]) < idle


@EACH_ENV
def test_readiness_and_liveness_are_two_things_so_a_draining_task_is_left_but_not_killed(
    env: str,
) -> None:
    targets = one(env, "AWS::ElasticLoadBalancingV2::TargetGroup")
    assert (targets["HealthCheckPath"], targets["Matcher"]["HttpCode"]) == ("/ready", "200")
    command = container(env)["HealthCheck"]["Command"]
    assert command[:3] == ["CMD", "python", "-c"], "no shell and no curl in the image"
    assert "/health" in command[3]
    compile(command[3], "health", "exec")
    assert "/ready" not in command[3]


@EACH_ENV
def test_the_container_can_write_nowhere_is_nobody_and_has_no_capability(env: str) -> None:
    made = container(env)
    assert made["ReadonlyRootFilesystem"] is True
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", made["User"])
    assert made["LinuxParameters"]["Capabilities"] == {"Drop": ["ALL"]}
    assert not made.get("Privileged")
    assert not made.get("MountPoints")
    assert made["Command"] == ["python", "-m", "service_src"]
    assert made["PortMappings"] == [{"ContainerPort": PORT, "Protocol": "tcp"}]
    assert Runtime(region="here").port == PORT


@EACH_ENV
def test_files_are_as_many_as_fargate_allows_since_the_default_ends_sockets_at_1024(
    env: str,
) -> None:
    (limit,) = container(env)["Ulimits"]
    assert limit == {"Name": "nofile", "SoftLimit": 65_535, "HardLimit": 65_535}
    assert ENVIRONMENTS[env].sockets_per_task * 2 < 65_535


@EACH_ENV
def test_no_secret_is_in_the_task_definition_since_ecs_would_read_it_once(env: str) -> None:
    made = container(env)
    assert "Secrets" not in made
    assert "Fn::GetStackOutput" in environment(env)["CLAUDE_SECRET"], "an ARN, not a value"


@EACH_ENV
def test_the_service_is_told_all_that_it_reads_and_each_number_of_the_configuration(
    env: str,
) -> None:
    told = environment(env)
    Settings.from_env(told)
    chat = ChatSettings.from_env(told)
    for field in {field.name for field in fields(ChatSettings)} - {"conversations_table"}:
        assert getattr(chat, field) == str(getattr(ENVIRONMENTS[env], field))
    assert told["STREAM_TIMEOUT_S"] == "900"
    assert told["AWS_REGION"] == {"Ref": "AWS::Region"}


@EACH_ENV
def test_logs_never_hold_up_a_stream(env: str) -> None:
    options = container(env)["LogConfiguration"]["Options"]
    assert options["mode"] == "non-blocking"
    assert options["awslogs-group"]["Ref"] in stack(env).of_type("AWS::Logs::LogGroup")


@EACH_ENV
def test_tasks_are_arm64_and_of_a_size_that_fargate_sells(env: str) -> None:
    made, config = one(env, "AWS::ECS::TaskDefinition"), ENVIRONMENTS[env]
    assert made["RuntimePlatform"]["CpuArchitecture"] == "ARM64"
    assert (made["Cpu"], made["Memory"]) == (
        str(config.service_cpu),
        str(config.service_memory_mb),
    )


def test_families_of_two_environments_in_one_account_do_not_mix() -> None:
    families = {one(env, "AWS::ECS::TaskDefinition")["Family"] for env in ("dev", "prod")}
    assert families == {"WebsocketStack-Task", "prod-WebsocketStack-Task"}


@EACH_ENV
def test_new_tasks_come_before_old_ones_go_and_a_bad_version_goes_back_by_itself(env: str) -> None:
    made = one(env, "AWS::ECS::Service")
    assert made["DeploymentConfiguration"] == {
        "DeploymentCircuitBreaker": {"Enable": True, "Rollback": True},
        "MaximumPercent": 200,
        "MinimumHealthyPercent": 100,
    }
    # A number here would end tasks in use at each deploy: the scaling alone sets it.
    assert "DesiredCount" not in made


@pytest.mark.parametrize(("env", "least"), [("dev", 1), ("prod", 2), ("local", 1)])
def test_tasks_follow_active_streams_since_waiting_for_claude_takes_no_cpu(
    env: str, least: int
) -> None:
    target = one(env, "AWS::ApplicationAutoScaling::ScalableTarget")
    assert (target["MinCapacity"], target["MaxCapacity"]) == (least, ENVIRONMENTS[env].max_tasks)
    policy = one(env, "AWS::ApplicationAutoScaling::ScalingPolicy")
    tracked = policy["TargetTrackingScalingPolicyConfiguration"]
    assert tracked["CustomizedMetricSpecification"] == {
        "Dimensions": [{"Name": "service", "Value": stack(env).name}],
        "MetricName": "active_streams",
        "Namespace": "ClaudeKit",
        "Statistic": "Average",
    }
    assert tracked["TargetValue"] == ENVIRONMENTS[env].streams_per_task
    assert tracked["ScaleOutCooldown"] < tracked["ScaleInCooldown"]


def test_in_prod_two_tasks_stand_in_two_zones_without_a_public_address() -> None:
    network = one("prod", "AWS::ECS::Service")["NetworkConfiguration"]["AwsvpcConfiguration"]
    assert network["AssignPublicIp"] == "DISABLED"
    assert len(network["Subnets"]) == 2
    assert all("PrivateSubnet" in json.dumps(subnet) for subnet in network["Subnets"])
    assert one("prod", "AWS::ECS::Service")["AvailabilityZoneRebalancing"] == "ENABLED"


def test_in_dev_a_task_has_an_address_to_reach_claude_from_but_nobody_reaches_it() -> None:
    network = one("dev", "AWS::ECS::Service")["NetworkConfiguration"]["AwsvpcConfiguration"]
    assert network["AssignPublicIp"] == "ENABLED"
    assert all("PublicSubnet" in json.dumps(subnet) for subnet in network["Subnets"])


@EACH_ENV
def test_only_the_load_balancer_reaches_a_task_and_a_task_only_https(env: str) -> None:
    groups = stack(env).of_type("AWS::EC2::SecurityGroup")
    (tasks_id,) = (id for id in groups if id.startswith("ServiceGroup"))
    (balancer_id,) = (id for id in groups if id.startswith("EntranceGroup"))
    assert "SecurityGroupIngress" not in groups[tasks_id]
    (door,) = stack(env).of_type("AWS::EC2::SecurityGroupIngress").values()
    assert door["GroupId"]["Fn::GetAtt"][0] == tasks_id
    assert door["SourceSecurityGroupId"]["Fn::GetAtt"][0] == balancer_id
    assert (door["FromPort"], door["ToPort"]) == (PORT, PORT)
    out = groups[tasks_id]["SecurityGroupEgress"]
    assert [(rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) for rule in out] == [
        ("tcp", 443, 443)
    ]
    (way,) = stack(env).of_type("AWS::EC2::SecurityGroupEgress").values()
    assert way["GroupId"]["Fn::GetAtt"][0] == balancer_id
    opened = {rule["FromPort"] for rule in groups[balancer_id]["SecurityGroupIngress"]}
    assert opened == ({80, 443} if ENVIRONMENTS[env].https_required else {80})


def test_prod_serves_https_with_todays_ciphers_and_80_leads_there() -> None:
    found = listeners(stack("prod"))
    assert set(found) == {80, 443}
    assert found[443]["Certificates"] == [{"CertificateArn": PROD_GIVEN["certificate_arn"]}]
    assert found[443]["SslPolicy"].startswith("ELBSecurityPolicy-TLS13-1-2-")
    (action,) = found[80]["DefaultActions"]
    assert action["Type"] == "redirect"
    assert (action["RedirectConfig"]["Protocol"], action["RedirectConfig"]["Port"]) == (
        "HTTPS",
        "443",
    )
    assert stack("prod").body["Outputs"]["ServiceUrl"]["Value"] == "https://chat.example.com"


def test_a_hosted_zone_brings_its_certificate_and_its_name() -> None:
    made = build(make_app(env="prod", **ZONE)).synth()
    found = next(one for one in made.stacks if one.hierarchical_id == "WebsocketStack")
    body = Template("prod", "WebsocketStack", found.stack_name, dict(found.template))
    (certificate,) = body.of_type("AWS::CertificateManager::Certificate").values()
    assert certificate["DomainName"] == "chat.example.com"
    assert certificate["ValidationMethod"] == "DNS"
    (option,) = certificate["DomainValidationOptions"]
    assert option["HostedZoneId"] == "Z123"
    (record,) = body.of_type("AWS::Route53::RecordSet").values()
    assert (record["Name"], record["Type"]) == ("chat.example.com.", "A")
    assert set(listeners(body)) == {80, 443}
    assert body.body["Outputs"]["ServiceUrl"]["Value"] == "https://chat.example.com"


@pytest.mark.parametrize(("env", "warned"), [("dev", True), ("local", True), ("prod", False)])
def test_where_keys_travel_over_plain_http_a_warning_says_so(env: str, warned: bool) -> None:
    assert (set(listeners(stack(env))) == {80}) is warned
    made = build(make_app(env=env, **(PROD_GIVEN if env == "prod" else {})))
    found = made.node.find_child("WebsocketStack")
    assert isinstance(found, Stack)
    said = [entry.data for entry in found.node.metadata if entry.type == "aws:cdk:warning"]
    assert any("plain HTTP" in sentence for sentence in said) is warned


@EACH_ENV
def test_who_comes_back_finds_the_task_that_knows_the_answer(env: str) -> None:
    made, config = attributes(env, "TargetGroup"), ENVIRONMENTS[env]
    assert made["stickiness.enabled"] == "true"
    assert int(made["stickiness.lb_cookie.duration_seconds"]) > config.lifetime_s
    assert made["load_balancing.algorithm.type"] == "least_outstanding_requests"


@EACH_ENV
def test_access_logs_go_to_a_private_bucket_that_empties_itself(env: str) -> None:
    made = attributes(env, "LoadBalancer")
    assert made["access_logs.s3.enabled"] == "true"
    assert made["routing.http.drop_invalid_header_fields.enabled"] == "true"
    bucket = one(env, "AWS::S3::Bucket")
    (rule,) = bucket["LifecycleConfiguration"]["Rules"]
    assert rule["ExpirationInDays"] == ENVIRONMENTS[env].access_log_days
    assert all(bucket["PublicAccessBlockConfiguration"].values())
    statements = one(env, "AWS::S3::BucketPolicy")["PolicyDocument"]["Statement"]
    (allowed,) = (statement for statement in statements if statement["Effect"] == "Allow")
    assert allowed["Action"] == "s3:PutObject"
    assert allowed["Principal"] == {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}


def test_the_role_may_do_exactly_what_the_service_does() -> None:
    """And what AWS does before it runs, under another role."""
    granted = {
        id: {
            action
            for statement in policy["PolicyDocument"]["Statement"]
            for action in (
                [statement["Action"]]
                if isinstance(statement["Action"], str)
                else statement["Action"]
            )
        }
        for id, policy in stack().of_type("AWS::IAM::Policy").items()
    }
    (task,) = (actions for id, actions in granted.items() if "TaskRole" in id)
    (execution,) = (actions for id, actions in granted.items() if "ExecutionRole" in id)
    assert task == {
        *(f"dynamodb:{name}" for name in ("PutItem", "UpdateItem", "Query", "DeleteItem")),
        *("sns:Publish", "secretsmanager:GetSecretValue"),
    }
    assert execution == {
        *("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetAuthorizationToken"),
        *("ecr:GetDownloadUrlForLayer", "logs:CreateLogStream", "logs:PutLogEvents"),
    }
    for role in stack().of_type("AWS::IAM::Role").values():
        assert "ManagedPolicyArns" not in role


@EACH_ENV
def test_conversations_end_by_themselves_and_are_kept_in_prod(env: str) -> None:
    table = one(env, "AWS::DynamoDB::Table")
    assert [key["AttributeName"] for key in table["KeySchema"]] == ["id", "turn"]
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert bool(table["DeletionProtectionEnabled"]) is ENVIRONMENTS[env].keep_data


KEY, TICKET = "ck_" + "a" * 43, "ticket." + "a" * 43
PROTOCOL = "sec-websocket-protocol"


@pytest.mark.parametrize(
    ("request_parts", "refused"),
    [
        ({"path": "/"}, False),
        ({"path": "/page/chat.js"}, False),
        ({"path": "/page/vendor/marked.js"}, False),
        ({"path": "/page"}, True),
        ({"path": "/health"}, False),
        ({"path": "/ready"}, False),
        ({"path": "/openapi.json"}, False),
        ({"path": "/chat"}, True),
        ({"path": "/chat", PROTOCOL: f"claude.v1, {TICKET}"}, False),
        ({"path": "/chat", PROTOCOL: f"{TICKET},claude.text"}, False),
        ({"path": "/chat", PROTOCOL: TICKET}, False),
        ({"path": "/chat", PROTOCOL: "claude.v1"}, True),
        ({"path": "/chat", PROTOCOL: f"claude.v1, {TICKET}a"}, True),
        ({"path": "/chat", PROTOCOL: f"claude.v1, {TICKET[:-1]}"}, True),
        ({"path": "/chat", "x-api-key": KEY}, False),
        ({"path": "/chat", "authorization": f"Bearer {KEY}"}, False),
        ({"path": "/v1/messages", "x-api-key": "sk-ant-abc"}, True),
        ({"path": "/v1/tickets"}, True),
        ({"path": "/health/../v1/messages"}, True),
    ],
)
def test_the_firewall_lets_tickets_and_the_page_through_and_no_malformed_key(
    request_parts: dict[str, str], refused: bool
) -> None:
    rules = {rule["Name"]: rule for rule in one("prod", "AWS::WAFv2::WebACL")["Rules"]}
    assert blocks(rules["MalformedKey"]["Statement"], request_parts) is refused


def test_the_firewall_stands_before_the_load_balancer_in_prod_and_hides_what_proves() -> None:
    assert not stack("dev").of_type("AWS::WAFv2::WebACL")
    (balancer,) = stack("prod").of_type("AWS::ElasticLoadBalancingV2::LoadBalancer")
    assert one("prod", "AWS::WAFv2::WebACLAssociation")["ResourceArn"] == {"Ref": balancer}
    rules = {rule["Name"]: rule for rule in one("prod", "AWS::WAFv2::WebACL")["Rules"]}
    assert rules["RatePerAddress"]["Statement"]["RateBasedStatement"]["Limit"] == 2_000
    hidden = one("prod", "AWS::WAFv2::LoggingConfiguration")["RedactedFields"]
    assert {field["SingleHeader"]["Name"] for field in hidden} == {
        *("x-api-key", "authorization", PROTOCOL)
    }


def test_each_thing_that_goes_wrong_has_its_alarm() -> None:
    watched = [alarm["MetricName"] for alarm in stack().of_type("AWS::CloudWatch::Alarm").values()]
    assert sorted(watched) == sorted(
        [
            *("UnHealthyHostCount", "HTTPCode_ELB_5XX_Count", "HTTPCode_Target_5XX_Count"),
            *("active_streams", "open_sockets", "reconnects", "crashes"),
            "gen_ai.response.time_to_first_chunk",
            *("upstream_rate_limited", "upstream_spend_cap_reached", "upstream_overloaded"),
            *("key_missing", "key_rejected"),
        ]
    )


@EACH_ENV
def test_the_alarm_on_streams_rings_above_what_the_scaling_keeps(env: str) -> None:
    (rings,) = (
        alarm["Threshold"]
        for alarm in stack(env).of_type("AWS::CloudWatch::Alarm").values()
        if alarm["MetricName"] == "active_streams"
    )
    config = ENVIRONMENTS[env]
    assert config.streams_per_task < rings < config.sockets_per_task


@EACH_ENV
def test_cdk_deploys_what_the_stack_stands_on_first(env: str) -> None:
    (found,) = (one for one in assembly(env).stacks if one.hierarchical_id == "WebsocketStack")
    needed = {artifact.id for artifact in found.dependencies}
    assert {"SharedStack", "NetworkStack"} <= needed


@EACH_ENV
def test_the_image_is_built_on_the_base_that_the_configuration_names(env: str) -> None:
    listed = json.loads(Path(assembly(env).directory, "WebsocketStack.assets.json").read_text())
    (image,) = (one["source"] for one in listed["dockerImages"].values())
    given = PROD_GIVEN["base_image"] if env == "prod" else ENVIRONMENTS[env].base_image
    assert image["dockerBuildArgs"] == {"BASE": given}
    assert image["dockerFile"] == "service_src/Dockerfile"
    assert image["platform"] == "linux/arm64"
