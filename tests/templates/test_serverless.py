"""ServerlessStack: each trap of API Gateway, Lambda and WAF that it must not fall into."""

import json
import re
from typing import Any

import pytest

from claude_core.fields import COUNT_TOKENS, MESSAGES, PROMPT
from claude_core.models import MODELS, ROLES
from lambda_src.api import OPENAPI
from lambda_src.api import ROUTES as SERVED
from stacks.config import ENVIRONMENTS
from stacks.serverless import ROUTES
from tests.synth import Template, template

EACH_ENV = pytest.mark.parametrize("env", ENVIRONMENTS)


def stack(env: str = "dev") -> Template:
    return template(env, "ServerlessStack")


def one(env: str, kind: str) -> dict[str, Any]:
    (found,) = stack(env).of_type(kind).values()
    return found


def test_the_routes_deployed_are_those_served_and_those_described() -> None:
    described = [
        f"{method.upper()} {path}"
        for path, methods in json.loads(OPENAPI.read_text())["paths"].items()
        for method in methods
    ]
    assert sorted(ROUTES) == sorted(SERVED) == sorted(described)
    assert len(stack().of_type("AWS::ApiGateway::Method")) == len(ROUTES)


@pytest.mark.parametrize("schema", ["Prompt", "Messages", "CountTokens"])
def test_the_description_names_the_models_and_fields_that_pass(schema: str) -> None:
    described = json.loads(OPENAPI.read_text())["components"]["schemas"][schema]["properties"]
    assert described["model"]["enum"] == [*ROLES, *(model.id for model in MODELS)]
    table = {"Prompt": PROMPT, "Messages": MESSAGES, "CountTokens": COUNT_TOKENS}[schema]
    assert set(described) == set(table)


@EACH_ENV
def test_claude_gives_up_before_the_function_and_the_function_before_the_api(env: str) -> None:
    function = one(env, "AWS::Lambda::Function")
    variables = function["Environment"]["Variables"]
    answer, request = int(variables["ANSWER_TIMEOUT_S"]), int(variables["REQUEST_TIMEOUT_S"])
    assert (answer, request, function["Timeout"]) == (25, 26, 28)
    for method in stack(env).of_type("AWS::ApiGateway::Method").values():
        assert method["Integration"]["TimeoutInMillis"] == 29_000


@EACH_ENV
def test_the_api_is_regional_since_an_edge_endpoint_cuts_idle_streams(env: str) -> None:
    api = one(env, "AWS::ApiGateway::RestApi")
    assert api["EndpointConfiguration"] == {"Types": ["REGIONAL"]}


@EACH_ENV
def test_the_api_calls_the_alias_since_snapstart_works_on_published_versions_only(
    env: str,
) -> None:
    assert one(env, "AWS::Lambda::Function")["SnapStart"] == {"ApplyOn": "PublishedVersions"}
    (alias,) = stack(env).of_type("AWS::Lambda::Alias")
    for method in stack(env).of_type("AWS::ApiGateway::Method").values():
        assert {"Ref": alias} in method["Integration"]["Uri"]["Fn::Join"][1]


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
        "dynamodb:UpdateItem",
        "secretsmanager:GetSecretValue",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
    }
    assert "ManagedPolicyArns" not in one("dev", "AWS::IAM::Role")


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


def blocks(statement: dict[str, Any], request: dict[str, str]) -> bool:
    """A WAF statement as WAF reads it, for the three kinds that the firewall uses."""
    ((kind, rule),) = statement.items()
    if kind == "AndStatement":
        return all(blocks(part, request) for part in rule["Statements"])
    if kind == "NotStatement":
        return not blocks(rule["Statement"], request)
    assert kind == "RegexMatchStatement"
    header = rule["FieldToMatch"].get("SingleHeader")
    value = request.get(header["Name"], "") if header else request["path"]
    return re.search(rule["RegexString"], value) is not None


def test_each_thing_that_goes_wrong_has_its_alarm() -> None:
    watched = {alarm["MetricName"] for alarm in stack().of_type("AWS::CloudWatch::Alarm").values()}
    assert watched == {
        "Errors",
        "Throttles",
        "Duration",
        "upstream_rate_limited",
        "upstream_overloaded",
        "key_missing",
        "key_rejected",
    }


def test_alarms_watch_the_names_that_telemetry_writes() -> None:
    from claude_core.telemetry import COUNTED, NAMESPACE

    for alarm in stack("prod").of_type("AWS::CloudWatch::Alarm").values():
        if alarm["Namespace"] == "AWS/Lambda":
            continue
        assert alarm["Namespace"] == NAMESPACE
        assert alarm["MetricName"] in COUNTED.values()
        assert alarm["Dimensions"] == [{"Name": "service", "Value": "prod-ServerlessStack"}]


def test_there_is_one_dashboard() -> None:
    assert one("dev", "AWS::CloudWatch::Dashboard")
