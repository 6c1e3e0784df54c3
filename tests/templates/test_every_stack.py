"""Rules over each template of each environment: a new pattern is covered when it is registered."""

import json
import re
from typing import Any

import pytest

from stacks import PATTERNS
from stacks.config import ENVIRONMENTS
from tests.synth import Template, template, templates

STACKS = ["NetworkStack", "SharedStack", *sorted(pattern.__name__ for pattern in PATTERNS)]
EACH = pytest.mark.parametrize(
    "found", [(env, stack) for env in ENVIRONMENTS for stack in STACKS], ids="-".join, indirect=True
)

STAR_ALLOWED = {"ecr:GetAuthorizationToken": "a token is for the whole registry"}
"""Actions that AWS offers for no single resource, each with its reason."""


@pytest.fixture
def found(request: pytest.FixtureRequest) -> Template:
    """Synthesized when the first test asks for it, not when tests are collected."""
    return template(*request.param)


def test_construct_ids_stay_and_prod_names_carry_a_prefix_so_both_fit_one_account() -> None:
    for env, prefix in (("dev", ""), ("prod", "prod-"), ("local", "")):
        assert [one.stack for one in templates(env)] == STACKS
        assert [one.name for one in templates(env)] == [prefix + stack for stack in STACKS]


@EACH
def test_no_policy_reaches_more_than_it_names(found: Template) -> None:
    for id, policy in found.of_type("AWS::IAM::Policy", "AWS::IAM::Role").items():
        for statement in statements(policy):
            actions = statement["Action"]
            for action in [actions] if isinstance(actions, str) else actions:
                assert "*" not in action, f"{id} grants {action}"
                resources = statement.get("Resource", [])
                if "*" in (resources if isinstance(resources, list) else [resources]):
                    assert action in STAR_ALLOWED, f"{id} grants {action} on everything"


def statements(properties: dict[str, Any]) -> list[dict[str, Any]]:
    documents = [properties.get("PolicyDocument")]
    documents += [inline["PolicyDocument"] for inline in properties.get("Policies", [])]
    return [statement for one in documents if one for statement in one["Statement"]]


def test_every_api_has_a_name_of_its_own_since_cloudwatch_counts_by_it() -> None:
    for one in (one for env in ("dev", "prod") for one in templates(env)):
        for api in one.of_type("AWS::ApiGateway::RestApi").values():
            assert api["Name"] == one.name


@EACH
def test_every_log_group_ends_so_that_logs_do_not_pile_up(found: Template) -> None:
    days = 365 if found.env == "prod" else 30
    for id, group in found.of_type("AWS::Logs::LogGroup").items():
        assert group.get("RetentionInDays") == days, id


@EACH
def test_every_function_logs_to_a_group_that_ends_and_runs_under_its_own_role(
    found: Template,
) -> None:
    functions = found.of_type("AWS::Lambda::Function")
    for id, function in functions.items():
        assert function["LoggingConfig"]["LogGroup"]["Ref"] in found.of_type("AWS::Logs::LogGroup")
        assert function["Runtime"] == "python3.13", id
        assert function["Architectures"] == ["arm64"], id
        assert "ReservedConcurrentExecutions" not in function, id
    roles = [json.dumps(function["Role"]) for function in functions.values()]
    assert len(set(roles)) == len(roles)


@EACH
def test_no_key_is_in_any_template(found: Template) -> None:
    assert not re.search(r"sk-ant-[A-Za-z0-9]|ck_[A-Za-z0-9_-]{20}", json.dumps(found.body))


@EACH
def test_every_alarm_tells_somebody_and_says_what_it_means(found: Template) -> None:
    for id, alarm in found.of_type("AWS::CloudWatch::Alarm").items():
        assert alarm["AlarmActions"], id
        assert len(alarm["AlarmDescription"]) > 15, id
        assert alarm["TreatMissingData"] == "notBreaching", id


@EACH
def test_no_export_blocks_an_update_or_a_removal(found: Template) -> None:
    for name, output in found.body.get("Outputs", {}).items():
        assert "Export" not in output, name
    assert "Fn::ImportValue" not in json.dumps(found.body)


@EACH
def test_the_only_output_with_url_in_its_name_is_the_one_to_call(found: Template) -> None:
    urls = [name for name in found.body.get("Outputs", {}) if "url" in name.lower()]
    called = {"NetworkStack": [], "SharedStack": [], "WebsocketStack": ["ServiceUrl"]}
    assert urls == called.get(found.stack, ["ApiUrl"])


@EACH
def test_physical_names_are_left_to_cloudformation_but_where_aws_demands_one(
    found: Template,
) -> None:
    named = {
        id: resource["Properties"][field]
        for id, resource in found.body["Resources"].items()
        for field in (
            "TableName",
            "FunctionName",
            "RoleName",
            "QueueName",
            "TopicName",
            "LogGroupName",
            "BucketName",
            "ClusterName",
        )
        if resource["Type"]
        not in (
            "AWS::EC2::FlowLog",
            "AWS::Lambda::Alias",
            "AWS::Lambda::EventSourceMapping",
            "AWS::Lambda::Permission",
            "AWS::Lambda::Version",
        )
        and field in resource.get("Properties", {})
    }
    assert set(named.values()) <= {f"aws-waf-logs-{found.name}"}


def test_prod_keeps_its_data_and_dev_leaves_nothing_behind() -> None:
    def fates(env: str) -> dict[str, str]:
        return {
            resource["Type"]: resource["DeletionPolicy"]
            for resource in template(env, "SharedStack").body["Resources"].values()
            if resource["Type"] in ("AWS::DynamoDB::Table", "AWS::SecretsManager::Secret")
        }

    assert set(fates("prod").values()) == {"Retain"}
    assert set(fates("dev").values()) == {"Delete"}
    tables = template("prod", "SharedStack").of_type("AWS::DynamoDB::Table").values()
    assert len(tables) == 2
    for table in tables:
        assert table["DeletionProtectionEnabled"]
        assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_the_history_ends_by_itself_and_the_budgets_never(env: str) -> None:
    tables = template(env, "SharedStack").of_type("AWS::DynamoDB::Table")
    for id, table in tables.items():
        ends = table.get("TimeToLiveSpecification")
        expected = {"AttributeName": "expires_at", "Enabled": True}
        assert ends == (expected if id.startswith("History") else None)


def test_the_secret_is_created_empty_so_that_a_deploy_never_touches_the_key() -> None:
    for env in ENVIRONMENTS:
        found = template(env, "SharedStack").of_type("AWS::SecretsManager::Secret")
        (secret,) = found.values()
        assert set(secret) == {"Description"}


def test_the_accounts_logging_role_outlives_the_stack_since_other_stacks_log_with_it() -> None:
    resources = template("dev", "SharedStack").body["Resources"].values()
    kept = {one["Type"] for one in resources if one.get("DeletionPolicy") == "Retain"}
    assert kept == {"AWS::ApiGateway::Account", "AWS::IAM::Role"}


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_alarms_may_tell_the_topic_whose_own_policy_would_close_it_to_them(env: str) -> None:
    (policy,) = template(env, "SharedStack").of_type("AWS::SNS::TopicPolicy").values()
    allowed = [
        statement["Principal"]
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow" and statement["Action"] == "sns:Publish"
    ]
    assert {"Service": "cloudwatch.amazonaws.com"} in allowed
