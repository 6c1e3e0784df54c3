"""Impossible numbers stop at synth, with a sentence, and only the stack that they are about."""

from dataclasses import replace
from typing import Any

import pytest
from aws_cdk import App, Duration, Stack
from aws_cdk import aws_apigateway as apigw
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_sqs as sqs

from app import build
from stacks import config as configs
from stacks.choose import choose
from stacks.config import DEV, ENVIRONMENTS
from stacks.network import NetworkStack
from stacks.orchestrator import OrchestratorStack
from stacks.parts import queue_rules, rules, service_rules
from stacks.queue_worker import QueueStack
from stacks.serverless import ServerlessStack
from stacks.service_numbers import Vpc
from stacks.shared import SharedStack
from stacks.websocket import WebsocketStack
from tests.synth import PROD_GIVEN, make_app

EACH = (ServerlessStack, WebsocketStack, QueueStack, OrchestratorStack)
STREAMING = (ServerlessStack, WebsocketStack, OrchestratorStack)
APIS = (ServerlessStack, QueueStack, OrchestratorStack)
CONTAINERS = (WebsocketStack, QueueStack)
ZONE = {"hosted_zone_id": "Z123", "hosted_zone_name": "example.com"}
VPC = Vpc(id="v", zones=("a", "b"), public_subnets=("s", "t"))
ASKED: dict[str, dict[str, Any]] = {
    "base_image": {"pinned_image": True},
    "domain_name": {"certificate_arn": PROD_GIVEN["certificate_arn"]},
}
"""What must hold before the rule about a field has anything to say."""


def errors(stack: Stack) -> list[str]:
    """Error annotations: what makes the CLI refuse this stack, and no other."""
    entries = [entry for node in stack.node.find_all() for entry in node.node.metadata]
    return [str(entry.data) for entry in entries if entry.type == "aws:cdk:error"]


@pytest.mark.parametrize(
    ("context", "says"),
    [
        ({"env": "production"}, "env 'production' is not known; use one of dev, prod, local"),
        ({"envv": "prod"}, "context key 'envv' is not known; use one of env, claude_url"),
    ],
)
def test_a_wrong_word_on_the_command_line_is_one_sentence(
    context: dict[str, str], says: str
) -> None:
    with pytest.raises(SystemExit) as stopped:
        build(make_app(**context))
    assert says in str(stopped.value)


def test_without_a_word_it_is_dev_and_flags_of_cdk_are_not_ours() -> None:
    assert choose({"@aws-cdk/core:x": "true", "aws:cdk:y": "z"}) is not None
    assert choose({}).environment == "dev"


IMPOSSIBLE: dict[str, tuple[Any, type[Stack] | tuple[type[Stack], ...]]] = {
    "claude_url": ("http://api.anthropic.com", EACH),
    "alarm_email": ("somebody", SharedStack),
    "api_timeout_s": (30, APIS),
    "lambda_memory_mb": (128, APIS),
    "requests_per_s": (0, APIS),
    "stream_api_timeout_s": (901, (ServerlessStack, OrchestratorStack)),
    "ping_s": (300, STREAMING),
    "canary": ("SOME_PERCENT", APIS),
    "requests_burst": (10_000, APIS),
    "waf_requests_per_5_min": (9, EACH),
    "reserved_concurrency": (0, APIS),
    "vpc": (Vpc(id="v", zones=("a", "b"), public_subnets=("s",)), NetworkStack),
    "lifetime_s": (7 * 24 * 3_600, WebsocketStack),
    "min_tasks": (3, WebsocketStack),
    "drain_s": (111, CONTAINERS),
    "visibility_s": (900, QueueStack),
    "routes_file": ("docs/gotchas.md", OrchestratorStack),
    "classifier_failures_percent": (0, OrchestratorStack),
}
"""A value for each field, and the stacks that it is about."""


FOLLOWING = ("timeoutInMillis", "stop_timeout_s", "stopTimeout")
"""Refused too, where they follow from api_timeout_s and drain_s."""


@pytest.fixture(scope="module")
def impossible() -> dict[Stack, list[str]]:
    """Errors of each stack, in one app where everything is wrong at once."""
    given = {field: value for field, (value, _) in IMPOSSIBLE.items()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ENVIRONMENTS, "dev", replace(DEV, **given))
        app = build(make_app(env="dev"))
    return {node: errors(node) for node in app.node.children if isinstance(node, Stack)}


@pytest.mark.parametrize(
    ("field", "value", "about"), [(field, *rest) for field, rest in IMPOSSIBLE.items()]
)
def test_an_impossible_number_names_field_value_and_rule_and_stops_no_other_stack(
    impossible: dict[Stack, list[str]],
    field: str,
    value: Any,
    about: type[Stack] | tuple[type[Stack], ...],
) -> None:
    sentence = f"{field} = {value!r} in env dev: must be"
    for stack, found in impossible.items():
        assert sum(sentence in said for said in found) == isinstance(stack, about), stack


def test_no_stack_has_an_error_that_is_not_about_it(
    impossible: dict[Stack, list[str]],
) -> None:
    for stack, found in impossible.items():
        expected = [field for field, (_, about) in IMPOSSIBLE.items() if isinstance(stack, about)]
        fields = [said.split(" = ")[0] for said in found]
        assert sorted(one for one in fields if one not in FOLLOWING) == sorted(expected)


@pytest.mark.parametrize(
    ("field", "value"), [("claude_url", "api.anthropic.com"), ("api_timeout_s", 3)]
)
def test_the_other_end_of_a_rule_is_refused_too(field: str, value: Any) -> None:
    (rule,) = (rule for rule in rules.API if rule.field == field)
    assert not rule.holds(value, DEV)


BROKEN: tuple[tuple[str, Any], ...] = (
    ("nat_gateways", 3),
    ("vpc", Vpc(id="v", zones=("a",), public_subnets=("s",))),
    ("vpc", Vpc(id="v", zones=("a", "a"), public_subnets=("s", "t"))),
    ("vpc", Vpc(id="v", zones=("a", "b"), public_subnets=("s",))),
    ("vpc", replace(VPC, private_subnets=("s",))),
    ("frame_bytes", 512),
    ("messages_per_minute", 0),
    ("sockets_per_client", 3_000),
    ("sockets_per_task", 40_000),
    ("auth_s", 0),
    ("idle_s", 30),
    ("lifetime_s", 600),
    ("lifetime_s", 7 * 24 * 3_600),
    ("buffer_bytes", 1_024),
    ("stall_s", 900),
    ("resume_s", 601),
    ("conversation_days", 0),
    ("drain_s", 111),
    ("alb_idle_s", 4_001),
    ("ws_ping_s", 151),
    ("service_stream_timeout_s", 200),
    ("base_image", "python:3.13-slim@sha256:12"),
    ("service_cpu", 2_048),
    ("service_memory_mb", 4_096),
    ("min_tasks", 3),
    ("max_tasks", 1_001),
    ("streams_per_task", 1_001),
    ("first_token_s", 0),
    ("reconnects_per_5_min", 0),
    ("certificate_arn", "chat.example.com"),
    ("hosted_zone_id", "Z123"),
    ("domain_name", None),
    ("access_log_days", 0),
)
ABOUT_CONTAINERS = (*service_rules.NETWORK, *service_rules.WEBSOCKET)


@pytest.mark.parametrize(("field", "value"), BROKEN)
def test_a_rule_about_containers_refuses_what_breaks_it_and_takes_what_stands(
    field: str, value: Any
) -> None:
    given: dict[str, Any] = ASKED.get(field, {}) | {field: value}
    config = replace(DEV, **given)
    (rule,) = (rule for rule in ABOUT_CONTAINERS if rule.field == field)
    assert not rule.holds(value, config)
    assert rule.says.startswith("must be ")
    for sound in ENVIRONMENTS.values():
        if field not in ("base_image", "certificate_arn"):
            assert rule.holds(getattr(sound, field), sound)


def test_every_rule_about_containers_is_broken_here_once() -> None:
    derived = {"stop_timeout_s", "deregistration_s", "keep_alive_s"}
    elsewhere = {"claude_url", "waf_requests_per_5_min", "ping_s"}
    fields = {rule.field for rule in ABOUT_CONTAINERS}
    assert fields - {field for field, _ in BROKEN} == derived | elsewhere


@pytest.mark.parametrize(
    ("field", "value", "allowed"),
    [
        ("stop_timeout_s", 110, False),
        ("stop_timeout_s", 121, False),
        ("stop_timeout_s", 115, True),
        ("deregistration_s", 120, False),
        ("deregistration_s", 121, True),
        ("keep_alive_s", 300, False),
        ("keep_alive_s", 301, True),
    ],
)
def test_what_follows_from_one_number_is_held_to_its_order_all_the_same(
    field: str, value: int, allowed: bool
) -> None:
    (rule,) = (rule for rule in service_rules.TIME if rule.field == field)
    assert rule.holds(value, DEV) is allowed


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({}, {"base_image", "certificate_arn"}),
        (PROD_GIVEN, set()),
        (PROD_GIVEN | {"base_image": "python:3.13-slim"}, {"base_image"}),
        (PROD_GIVEN | {"domain_name": ""}, {"domain_name"}),
        ({**ZONE, "base_image": PROD_GIVEN["base_image"]}, set()),
        ({**PROD_GIVEN, **ZONE, "domain_name": "chat.elsewhere.com"}, {"domain_name"}),
    ],
)
def test_prod_wants_a_certificate_and_a_digest(given: dict[str, str], wrong: set[str]) -> None:
    config = choose({"env": "prod", **given})
    stack = Stack(App(), "S")
    assert rules.check_config(stack, config, service_rules.WEBSOCKET) == wrong
    assert {sentence.split(" = ")[0] for sentence in errors(stack)} == wrong
    queue = rules.check_config(stack, config, queue_rules.QUEUE)
    assert queue == wrong & {"base_image"}


def test_prod_without_certificate_or_digest_stops_only_the_stacks_that_want_one() -> None:
    app = build(make_app(env="prod"))
    stopped = {
        node.node.id: {sentence.split(" = ")[0] for sentence in found}
        for node in app.node.children
        if isinstance(node, Stack) and (found := errors(node))
    }
    assert stopped == {
        "WebsocketStack": {"base_image", "certificate_arn"},
        "QueueStack": {"base_image"},
    }


def test_an_unknown_log_retention_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENVIRONMENTS, "dev", replace(DEV, log_retention="FOREVER_AND_A_DAY"))
    with pytest.raises(SystemExit, match="log_retention = 'FOREVER_AND_A_DAY'"):
        build(make_app(env="dev"))


def test_plain_http_is_for_the_local_cloud_alone() -> None:
    (rule,) = rules.CLAUDE
    for env, allowed in (("local", True), ("dev", False), ("prod", False)):
        assert rule.holds("http://127.0.0.1:1", ENVIRONMENTS[env]) is allowed


def rest(stack: Stack, seconds: float, mode: apigw.ResponseTransferMode) -> None:
    integration = apigw.HttpIntegration(
        "https://example.com", options=apigw.IntegrationOptions(timeout=Duration.seconds(1))
    )
    method = apigw.RestApi(stack, "Api").root.add_method("GET", integration)
    node = method.node.default_child
    assert isinstance(node, apigw.CfnMethod)
    node.integration = apigw.CfnMethod.IntegrationProperty(
        type="HTTP", timeout_in_millis=seconds * 1_000, response_transfer_mode=mode.value
    )


STREAM, BUFFERED = apigw.ResponseTransferMode.STREAM, apigw.ResponseTransferMode.BUFFERED


@pytest.mark.parametrize(
    ("seconds", "mode", "allowed"),
    [(900, STREAM, True), (901, STREAM, False), (29, BUFFERED, True), (60, BUFFERED, False)],
)
def test_api_gateway_timeouts_that_synth_accepts_in_silence(
    seconds: float, mode: apigw.ResponseTransferMode, allowed: bool
) -> None:
    stack = Stack(App(), "S")
    rest(stack, seconds, mode)
    rules.check_limits(stack)
    assert (not errors(stack)) is allowed


@pytest.mark.parametrize(("seconds", "allowed"), [(120, True), (180, False)])
def test_stop_timeouts_above_what_fargate_allows(seconds: int, allowed: bool) -> None:
    stack = Stack(App(), "S")
    task = ecs.FargateTaskDefinition(stack, "Task")
    task.add_container(
        "c", image=ecs.ContainerImage.from_registry("x"), stop_timeout=Duration.seconds(seconds)
    )
    rules.check_limits(stack)
    assert (not errors(stack)) is allowed


@pytest.mark.parametrize("by_alias", [False, True])
@pytest.mark.parametrize(("visible", "allowed"), [(120, True), (119, False), (15, False)])
def test_visibility_below_six_times_the_functions_timeout(
    visible: int, allowed: bool, by_alias: bool
) -> None:
    stack = Stack(App(), "S")
    queue = sqs.Queue(stack, "Q", visibility_timeout=Duration.seconds(visible))
    function = lambda_.Function(
        stack,
        "F",
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="index.handler",
        code=lambda_.Code.from_inline("x"),
        timeout=Duration.seconds(20),
    )
    fed = function.current_version.add_alias("live") if by_alias else function
    fed.add_event_source(sources.SqsEventSource(queue))
    rules.check_limits(stack)
    assert (not errors(stack)) is allowed


def test_timeouts_follow_from_one_number() -> None:
    shorter = replace(configs.DEV, api_timeout_s=20)
    assert (shorter.function_timeout_s, shorter.request_timeout_s, shorter.answer_timeout_s) == (
        19,
        17,
        16,
    )
