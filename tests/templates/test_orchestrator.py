"""OrchestratorStack: one streaming function that serves the three routes, and is told to choose."""

import json
from typing import Any

import pytest

from claude_core.http_routes import Backend, route_names
from claude_core.routes import Table
from claude_core.settings import RouterSettings
from local.routes import adapted, routes
from stacks.config import ENVIRONMENTS
from tests.synth import Template, template
from tests.templates.firewall import blocks
from tests.templates.test_telemetry import metrics_of

EACH_ENV = pytest.mark.parametrize("env", ENVIRONMENTS)


def stack(env: str = "dev") -> Template:
    return template(env, "OrchestratorStack")


def one(env: str, kind: str) -> dict[str, Any]:
    (found,) = stack(env).of_type(kind).values()
    return found


def test_routes_deployed_are_those_of_the_table() -> None:
    deployed = {f"{one.method} {one.path}" for one in routes(stack().body["Resources"])}
    assert deployed == set(route_names(Backend.ORCHESTRATOR))


def test_every_route_streams_since_the_adapter_writes_for_no_other() -> None:
    for route in routes(stack().body["Resources"]):
        assert route.streams, route
        assert route.timeout_s == 900
        assert route.function in adapted(stack().body["Resources"])


@EACH_ENV
def test_deadlines_are_those_of_the_messages_route(env: str) -> None:
    def limits(name: str, function: str) -> dict[str, Any]:
        (made,) = (
            one
            for id, one in template(env, name).of_type("AWS::Lambda::Function").items()
            if id.startswith(function)
        )
        variables = made["Environment"]["Variables"]
        told = {key: value for key, value in variables.items() if key.endswith("_S")}
        return {**told, "timeout": made["Timeout"], "hooks": "SnapStart" in made}

    assert limits("OrchestratorStack", "Function") == limits("ServerlessStack", "StreamFunction")


@EACH_ENV
def test_the_function_is_told_to_choose_and_no_other_is(env: str) -> None:
    functions = stack(env).of_type("AWS::Lambda::Function")
    (choosing,) = (function for id, function in functions.items() if id.startswith("Function"))
    told = RouterSettings.from_env(choosing["Environment"]["Variables"])
    assert told.routes_file == "claude_core/routes.json"
    others = [function for function in functions.values() if function is not choosing]
    serverless = template(env, "ServerlessStack").of_type("AWS::Lambda::Function").values()
    for function in (*others, *serverless):
        with pytest.raises(KeyError):
            RouterSettings.from_env(function["Environment"]["Variables"])


def test_the_firewall_stands_in_prod_before_the_route_and_not_before_what_is_open() -> None:
    assert not stack("dev").of_type("AWS::WAFv2::WebACL")
    rules = {rule["Name"]: rule for rule in one("prod", "AWS::WAFv2::WebACL")["Rules"]}
    statement = rules["MalformedKey"]["Statement"]
    assert blocks(statement, {"path": "/prod/v1/orchestrate"})
    assert not blocks(statement, {"path": "/prod/v1/orchestrate", "x-api-key": "ck_" + "a" * 43})
    assert not blocks(statement, {"path": "/prod/openapi.json"})


def test_in_prod_new_code_goes_back_when_it_crashes() -> None:
    group = one("prod", "AWS::CodeDeploy::DeploymentGroup")
    alarms = stack("prod").of_type("AWS::CloudWatch::Alarm")
    watched = {alarm["Name"]["Ref"] for alarm in group["AlarmConfiguration"]["Alarms"]}
    assert {alarms[id]["MetricName"] for id in watched} == {"Errors", "crashes"}
    for env in ("dev", "local"):
        assert not stack(env).of_type("AWS::CodeDeploy::DeploymentGroup")


def test_each_thing_that_goes_wrong_has_its_alarm() -> None:
    alarms = stack().of_type("AWS::CloudWatch::Alarm").values()
    watched = [metric["MetricName"] for alarm in alarms for metric in metrics_of(alarm)]
    assert sorted(watched) == sorted(
        [
            *("Errors", "Throttles", "classifier_duration", "classifier_failures", "crashes"),
            *("upstream_rate_limited", "upstream_spend_cap_reached", "upstream_overloaded"),
            *("key_missing", "key_rejected"),
        ]
    )


def test_the_classifiers_alarm_is_a_share_of_what_it_was_asked_and_of_no_handful() -> None:
    (alarm,) = (
        one for one in stack().of_type("AWS::CloudWatch::Alarm").values() if "Metrics" in one
    )
    said = {one["Id"]: one for one in alarm["Metrics"]}
    (share,) = (one["Expression"] for one in alarm["Metrics"] if "Expression" in one)
    assert share == "IF(asked >= 10, 100 * failed / asked, 0)"
    assert said["asked"]["MetricStat"]["Stat"] == "SampleCount"
    assert said["failed"]["MetricStat"]["Stat"] == "Sum"
    assert alarm["Threshold"] == 20


def test_the_dashboard_draws_a_share_of_each_route_that_is_on() -> None:
    drawn = json.dumps(one("dev", "AWS::CloudWatch::Dashboard"))
    for intent in Table.own().routes:
        assert f"100 * FILL(route_{intent}, 0) / routed" in drawn
    assert "route_deep" not in drawn
