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
from stacks.parts import rules
from stacks.serverless import ServerlessStack
from stacks.shared import SharedStack
from tests.synth import make_app


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


@pytest.mark.parametrize(
    ("field", "value", "about"),
    [
        ("claude_url", "http://api.anthropic.com", ServerlessStack),
        ("claude_url", "api.anthropic.com", ServerlessStack),
        ("alarm_email", "somebody", SharedStack),
        ("api_timeout_s", 30, ServerlessStack),
        ("api_timeout_s", 3, ServerlessStack),
        ("lambda_memory_mb", 128, ServerlessStack),
        ("requests_per_s", 0, ServerlessStack),
        ("stream_api_timeout_s", 901, ServerlessStack),
        ("ping_s", 300, ServerlessStack),
        ("canary", "SOME_PERCENT", ServerlessStack),
        ("requests_burst", 10_000, ServerlessStack),
        ("waf_requests_per_5_min", 9, ServerlessStack),
        ("reserved_concurrency", 0, ServerlessStack),
    ],
)
def test_an_impossible_number_names_field_value_and_rule_and_stops_one_stack(
    monkeypatch: pytest.MonkeyPatch, field: str, value: Any, about: type[Stack]
) -> None:
    monkeypatch.setitem(ENVIRONMENTS, "dev", replace(DEV, **{field: value}))
    app = build(make_app(env="dev"))
    for stack in (node for node in app.node.children if isinstance(node, Stack)):
        found = errors(stack)
        if type(stack) is about:
            assert any(f"{field} = {value!r} in env dev: must be" in said for said in found)
        else:
            assert not found


def test_an_unknown_log_retention_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENVIRONMENTS, "dev", replace(DEV, log_retention="FOREVER_AND_A_DAY"))
    with pytest.raises(SystemExit, match="log_retention = 'FOREVER_AND_A_DAY'"):
        build(make_app(env="dev"))


def test_plain_http_is_for_the_local_cloud_alone() -> None:
    context = {"claude_url": "http://127.0.0.1:1"}
    for env, wrong in (("local", 0), ("prod", 1)):
        app = build(make_app(env=env, **context))
        asks_claude = app.node.find_child("ServerlessStack")
        assert isinstance(asks_claude, Stack)
        assert len(errors(asks_claude)) == wrong


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


@pytest.mark.parametrize(("visible", "allowed"), [(120, True), (119, False), (15, False)])
def test_visibility_below_six_times_the_functions_timeout(visible: int, allowed: bool) -> None:
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
    function.add_event_source(sources.SqsEventSource(queue))
    rules.check_limits(stack)
    assert (not errors(stack)) is allowed


def test_timeouts_follow_from_one_number() -> None:
    shorter = replace(configs.DEV, api_timeout_s=20)
    assert (shorter.function_timeout_s, shorter.request_timeout_s, shorter.answer_timeout_s) == (
        19,
        17,
        16,
    )
