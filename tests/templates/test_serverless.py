"""ServerlessStack: each trap of API Gateway, Lambda and WAF that it must not fall into."""

import json
import os
import re
from dataclasses import replace
from typing import Any

import pytest
from fastapi.routing import APIRoute

from claude_core.http_routes import Backend, route_names
from claude_core.settings import Runtime, Settings
from local.routes import routes
from service_src.app import AFTER_RESTORE, BEFORE_SNAPSHOT, create
from stacks.config import ENVIRONMENTS
from tests.synth import ROOT, Template, template
from tests.templates.firewall import blocks

NO_SETTINGS = Settings(
    service="tests",
    clients_table="",
    history_table="",
    alarm_topic="",
    claude_secret="",
    claude_url="",
    answer_timeout_s="",
    request_timeout_s="",
)
EACH_ENV = pytest.mark.parametrize("env", ENVIRONMENTS)


def stack(env: str = "dev") -> Template:
    return template(env, "ServerlessStack")


def one(env: str, kind: str) -> dict[str, Any]:
    (found,) = stack(env).of_type(kind).values()
    return found


def function(env: str, kind: str) -> dict[str, Any]:
    """The function of one of the two kinds: `Api` answers at once, `Stream` as it is written."""
    (found,) = (
        one
        for id, one in stack(env).of_type("AWS::Lambda::Function").items()
        if id.startswith(f"{kind}Function")
    )
    return found


def service_paths(**runtime: Any) -> set[str]:
    """What the streaming service serves."""
    app = create(NO_SETTINGS, replace(Runtime(region="here"), **runtime))
    return {route.path for route in app.routes if isinstance(route, APIRoute)}


def test_routes_deployed_are_those_of_the_table_each_to_its_function() -> None:
    deployed = {f"{one.method} {one.path}": one for one in routes(stack().body["Resources"])}
    assert set(deployed) == set(route_names(Backend.API, Backend.STREAM))
    for name, route in deployed.items():
        assert route.streams is (name in route_names(Backend.STREAM)), name
        assert route.function.startswith("StreamFunction" if route.streams else "ApiFunction")


@EACH_ENV
def test_claude_gives_up_before_the_function_and_the_function_before_the_api(env: str) -> None:
    limits = {one.streams: one.timeout_s for one in routes(stack(env).body["Resources"])}
    assert limits == {False: 29, True: 900}
    for kind, answer, function_limit in (("Api", 25, 28), ("Stream", 280, 898)):
        made = function(env, kind)
        variables = made["Environment"]["Variables"]
        assert (int(variables["ANSWER_TIMEOUT_S"]), made["Timeout"]) == (answer, function_limit)
    assert int(function(env, "Api")["Environment"]["Variables"]["REQUEST_TIMEOUT_S"]) == 26
    assert int(function(env, "Stream")["Environment"]["Variables"]["STREAM_TIMEOUT_S"]) == 890


@EACH_ENV
def test_a_stream_says_that_it_is_alive_long_before_api_gateway_takes_it_for_dead(env: str) -> None:
    variables = function(env, "Stream")["Environment"]["Variables"]
    assert int(variables["PING_S"]) <= 300 / 2
    # Nothing is sent before Claude has begun: that silence too must be shorter.
    assert int(variables["ANSWER_TIMEOUT_S"]) < 300


@EACH_ENV
def test_the_streaming_function_runs_under_the_adapter_with_its_snapshot_hooks(env: str) -> None:
    made = function(env, "Stream")
    variables, config = made["Environment"]["Variables"], ENVIRONMENTS[env]
    assert variables["AWS_LAMBDA_EXEC_WRAPPER"] == "/opt/bootstrap"
    assert variables["AWS_LWA_INVOKE_MODE"] == "response_stream"
    assert os.access(ROOT / made["Handler"], os.X_OK)
    (layer,) = made["Layers"]
    arm = config.lambda_target.platform.startswith("aarch64")
    assert layer["Fn::Join"][1][-1].endswith(f"LambdaAdapterLayer{'Arm64' if arm else 'X86'}:30")
    hooks = {value for name, value in variables.items() if "SNAPSTART" in name}
    assert hooks == ({BEFORE_SNAPSHOT, AFTER_RESTORE} if config.snap_start else set())
    assert hooks | {variables["AWS_LWA_READINESS_CHECK_PATH"]} <= service_paths(function_name="f")


def test_the_snapshot_hooks_are_no_routes_where_no_adapter_guards_them() -> None:
    assert not {BEFORE_SNAPSHOT, AFTER_RESTORE} & service_paths()


@EACH_ENV
def test_the_api_is_regional_since_an_edge_endpoint_cuts_idle_streams(env: str) -> None:
    api = one(env, "AWS::ApiGateway::RestApi")
    assert api["EndpointConfiguration"] == {"Types": ["REGIONAL"]}


@EACH_ENV
def test_the_api_calls_aliases_since_snapstart_works_on_published_versions_only(env: str) -> None:
    snap_start = {"ApplyOn": "PublishedVersions"} if ENVIRONMENTS[env].snap_start else None
    for made in stack(env).of_type("AWS::Lambda::Function").values():
        assert made.get("SnapStart") == snap_start
    aliases = set(stack(env).of_type("AWS::Lambda::Alias"))
    called = {
        part["Ref"]
        for method in stack(env).of_type("AWS::ApiGateway::Method").values()
        for part in method["Integration"]["Uri"]["Fn::Join"][1]
        if isinstance(part, dict) and part["Ref"] in aliases
    }
    assert called == aliases
    assert len(aliases) == 2


def test_in_prod_new_code_meets_a_tenth_of_the_calls_and_goes_back_when_an_alarm_rings() -> None:
    aliases = {
        id: one["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]
        for id, one in stack("prod").body["Resources"].items()
        if one["Type"] == "AWS::Lambda::Alias"
    }
    groups = stack("prod").of_type("AWS::CodeDeploy::DeploymentGroup")
    assert {one["DeploymentGroupName"]["Ref"] for one in aliases.values()} == set(groups)
    names = stack("prod").of_type("AWS::CloudWatch::Alarm")
    for group in groups.values():
        assert group["DeploymentConfigName"] == "CodeDeployDefault.LambdaCanary10Percent5Minutes"
        rolled_back_on = set(group["AutoRollbackConfiguration"]["Events"])
        assert {"DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"} <= rolled_back_on
        watched = {alarm["Name"]["Ref"] for alarm in group["AlarmConfiguration"]["Alarms"]}
        assert {names[id]["MetricName"] for id in watched} == {"Errors", "crashes"}


@pytest.mark.parametrize("env", ["dev", "local"])
def test_elsewhere_a_deploy_does_not_wait(env: str) -> None:
    assert not stack(env).of_type("AWS::CodeDeploy::DeploymentGroup")


@EACH_ENV
def test_the_stage_is_throttled_and_its_access_logs_hold_no_body_and_no_header(env: str) -> None:
    stage = one(env, "AWS::ApiGateway::Stage")
    (settings,) = stage["MethodSettings"]
    assert settings["ThrottlingRateLimit"] == ENVIRONMENTS[env].requests_per_s
    assert not settings.get("DataTraceEnabled")
    logged = json.loads(stage["AccessLogSetting"]["Format"])
    assert "status" in logged
    assert not re.search(r"body|header|apiKey|authoriz", json.dumps(logged), re.IGNORECASE)


@EACH_ENV
def test_api_gateways_own_refusals_have_the_messages_apis_shape(env: str) -> None:
    responses = stack(env).of_type("AWS::ApiGateway::GatewayResponse")
    known = {"DEFAULT_4XX", "DEFAULT_5XX", "THROTTLED", "INTEGRATION_TIMEOUT", "INVALID_SIGNATURE"}
    assert known <= {response["ResponseType"] for response in responses.values()}
    for response in responses.values():
        body = json.loads(response["ResponseTemplates"]["application/json"])
        assert body["type"] == "error"
        assert set(body["error"]) == {"type", "message"}
        assert body["request_id"] == "$context.requestId"


def test_the_role_may_do_exactly_what_the_function_does() -> None:
    actions = {
        action
        for policy in stack().of_type("AWS::IAM::Policy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        for action in (
            statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        )
    }
    assert actions == {
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "sns:Publish",
        "secretsmanager:GetSecretValue",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
    }
    for role in stack().of_type("AWS::IAM::Role").values():
        assert "ManagedPolicyArns" not in role


def test_the_firewall_stands_in_prod_alone_where_it_is_worth_its_price() -> None:
    assert not stack("dev").of_type("AWS::WAFv2::WebACL")
    assert one("prod", "AWS::WAFv2::WebACLAssociation")
    rules = {rule["Name"]: rule for rule in one("prod", "AWS::WAFv2::WebACL")["Rules"]}
    assert rules["RatePerAddress"]["Statement"]["RateBasedStatement"]["Limit"] == 2_000


def test_firewall_logs_hide_both_headers_that_carry_a_key() -> None:
    logging = one("prod", "AWS::WAFv2::LoggingConfiguration")
    hidden = {field["SingleHeader"]["Name"] for field in logging["RedactedFields"]}
    assert hidden == {"x-api-key", "authorization"}
    for rule in one("prod", "AWS::WAFv2::WebACL")["Rules"]:
        assert rule["VisibilityConfig"]["SampledRequestsEnabled"] is False


@pytest.mark.parametrize(
    ("request_parts", "refused"),
    [
        ({"x-api-key": "ck_" + "a" * 43}, False),
        ({"authorization": "Bearer ck_" + "a" * 43}, False),
        ({"x-api-key": "ck_" + "a" * 42}, True),
        ({"x-api-key": "sk-ant-abc"}, True),
        ({"authorization": "Basic abc"}, True),
        ({}, True),
        ({"path": "/prod/health"}, False),
        ({"path": "/openapi.json"}, False),
        ({"path": "/prod/health/../prompt"}, True),
    ],
)
def test_the_firewall_refuses_what_cannot_be_a_client_key(
    request_parts: dict[str, str], refused: bool
) -> None:
    rules = {rule["Name"]: rule for rule in one("prod", "AWS::WAFv2::WebACL")["Rules"]}
    statement = rules["MalformedKey"]["Statement"]
    assert blocks(statement, {"path": "/prod/prompt"} | request_parts) is refused


def test_each_thing_that_goes_wrong_has_its_alarm() -> None:
    watched = [alarm["MetricName"] for alarm in stack().of_type("AWS::CloudWatch::Alarm").values()]
    assert sorted(watched) == sorted(
        [
            *("Errors", "Errors", "Throttles", "Throttles", "Duration", "crashes"),
            *("upstream_rate_limited", "upstream_spend_cap_reached", "upstream_overloaded"),
            *("key_missing", "key_rejected"),
        ]
    )
