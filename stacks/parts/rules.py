"""What CDK accepts and AWS refuses: found at synth, as an error of the stack that breaks it."""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from aws_cdk import Annotations, CfnResource, Stack
from aws_cdk import aws_apigateway as apigw
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs

from claude_core import models
from stacks.config import Config
from stacks.parts.canary import SHIFTS


@dataclass(frozen=True, slots=True)
class Rule:
    """What one field of Config must be."""

    field: str
    holds: Callable[[Any, Config], bool]
    says: str
    adds: Callable[[Any], str] = lambda _: ""
    """What is wrong with this very value, where that says more."""


def between(low: int, high: int) -> Callable[[Any, Config], bool]:
    """A whole number in these bounds."""
    return lambda value, config: isinstance(value, int) and low <= value <= high


def _url(value: str, config: Config) -> bool:
    parts = urlsplit(value)
    secure = parts.scheme == "https" or (parts.scheme == "http" and config.allow_plain_http)
    return secure and bool(parts.hostname) and not parts.query


SHARED = (
    Rule("alarm_email", lambda value, _: value is None or "@" in value, "must be an address"),
)
CLAUDE = (Rule("claude_url", _url, "must be an https URL (plain http only with env=local)"),)
FIREWALL = (
    Rule(
        "waf_requests_per_5_min",
        lambda value, _: value is None or 10 <= value <= 2_000_000_000,
        "must be 10 to 2000000000, AWS WAF's own limits",
    ),
)
API = (
    *CLAUDE,
    Rule("api_timeout_s", between(10, 29), "must be 10 to 29: API Gateway cuts at 29"),
    Rule(
        "canary",
        lambda value, _: value is None or value in SHIFTS,
        f"must be one of {', '.join(sorted(SHIFTS))}, or unset",
    ),
    Rule("lambda_memory_mb", between(256, 10_240), "must be 256 to 10240"),
    Rule("requests_per_s", between(1, 10_000), "must be 1 to 10000, API Gateway's own limit"),
    Rule("requests_burst", between(1, 5_000), "must be 1 to 5000, API Gateway's own limit"),
    *FIREWALL,
    Rule(
        "reserved_concurrency",
        lambda value, _: value is None or value >= 1,
        "must be at least 1, or unset",
    ),
)
SERVERLESS = (
    *API,
    Rule(
        "stream_api_timeout_s",
        between(60, 900),
        "must be 60 to 900: API Gateway ends a streamed answer after 15 minutes",
    ),
    Rule("ping_s", between(1, 240), "must be 1 to 240: API Gateway ends what is silent for 300"),
)


PRICED = {model.id for model in models.MODELS}
"""Imported so that a model without a price stops `cdk synth`, not the first call."""


def check_config(stack: Stack, config: Config, rules: Iterable[Rule]) -> set[str]:
    """Put a broken rule on the stack as an error, so that only its own deploy stops.

    Returns: the fields that are wrong.
    """
    broken = [rule for rule in rules if not rule.holds(getattr(config, rule.field), config)]
    for rule in broken:
        value = getattr(config, rule.field)
        says = rule.says + rule.adds(value)
        _refuse(stack, f"{rule.field} = {value!r} in env {config.environment}: {says}")
    return {rule.field for rule in broken}


def check_limits(stack: Stack) -> None:
    """Hold the finished resources of a stack against AWS's limits that synth does not know."""
    resources = [node for node in stack.node.find_all() if isinstance(node, CfnResource)]
    timeouts = {
        stack.get_logical_id(node): node.timeout or 3
        for node in resources
        if isinstance(node, lambda_.CfnFunction)
    }
    # A queue feeds a function, or an alias of one.
    timeouts |= {
        stack.get_logical_id(node): timeouts.get(_referred(stack.resolve(node.function_name)), 0)
        for node in resources
        if isinstance(node, lambda_.CfnAlias)
    }
    queues = {
        stack.get_logical_id(node): node for node in resources if isinstance(node, sqs.CfnQueue)
    }
    for node in resources:
        if isinstance(node, apigw.CfnMethod):
            _check_method(node, stack.resolve(node.integration) or {})
        elif isinstance(node, ecs.CfnTaskDefinition):
            for container in stack.resolve(node.container_definitions) or []:
                _check_container(node, container)
        elif isinstance(node, lambda_.CfnEventSourceMapping):
            _check_source(node, stack, timeouts, queues)


def _check_method(node: CfnResource, integration: dict[str, Any]) -> None:
    streams = integration.get("responseTransferMode") == "STREAM"
    limit, mode = (900, "streamed") if streams else (29, "buffered")
    seconds = integration.get("timeoutInMillis", 0) / 1_000
    if seconds > limit:
        _refuse(node, f"timeoutInMillis = {seconds:g} s: a {mode} route may take {limit} s")


def _check_container(node: CfnResource, container: dict[str, Any]) -> None:
    seconds = container.get("stopTimeout") or 0
    if seconds > 120:
        _refuse(node, f"stopTimeout = {seconds:g} s: Fargate allows 120 s at most")


def _check_source(
    node: lambda_.CfnEventSourceMapping,
    stack: Stack,
    timeouts: dict[str, float],
    queues: dict[str, sqs.CfnQueue],
) -> None:
    queue = queues.get(_referred(stack.resolve(node.event_source_arn)))
    timeout = timeouts.get(_referred(stack.resolve(node.function_name)))
    if queue and timeout:
        needed = 6 * timeout + (node.maximum_batching_window_in_seconds or 0)
        visible = queue.visibility_timeout or 30
        if visible < needed:
            rule = "six times the function's timeout, and its batching window"
            _refuse(queue, f"visibilityTimeout = {visible:g} s: must be {needed:g} s, {rule}")


def _referred(value: object) -> str:
    """The logical id that a value refers to, however deep."""
    found = re.search(r'"(?:Ref|Fn::GetAtt)": \[?"(\w+)"', json.dumps(value))
    return found[1] if found else ""


def _refuse(node: Any, sentence: str) -> None:
    Annotations.of(node).add_error(sentence)
