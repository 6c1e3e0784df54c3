"""A team's workflows as a durable function: there where they are named, with what it needs."""

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Stack

from app import build
from claude_core.jobs.claims import ATTEMPTS, FREE_FAILURES
from claude_core.settings import Settings, WorkflowSettings
from local.transform import without
from stacks.config import DEV, ENVIRONMENTS, LOCAL
from stacks.parts import workflow_rules
from stacks.parts.workflows import FILE, TIMEOUT_S
from tests.synth import ROOT, Template, make_app, template
from tests.templates.test_rules import errors

SOUND = "async def note(ask, given): ...\n"


def stack(env: str = "local") -> Template:
    return template(env, "OrchestratorStack")


def of(kind: str) -> dict[str, Any]:
    """Of the resources of the workflows, the one of a type."""
    (found,) = (one for id, one in stack().of_type(kind).items() if id.startswith("Workflows"))
    return found


def test_without_workflows_there_is_no_durable_function() -> None:
    assert DEV.workflows_file is None
    for env in ("dev", "prod"):
        functions = stack(env).of_type("AWS::Lambda::Function").values()
        assert [one for one in functions if "DurableConfig" in one] == []
        assert "WorkflowsArn" not in stack(env).body["Outputs"]


def test_it_is_told_where_they_are_and_what_every_caller_of_claude_is_told() -> None:
    variables = of("AWS::Lambda::Function")["Environment"]["Variables"]
    told = WorkflowSettings.from_env(variables)
    assert told.workflows_file == FILE
    assert int(told.workflow_timeout_s) == LOCAL.workflow_timeout_s
    Settings.from_env(variables)


def test_its_executions_have_a_deadline_and_are_remembered_for_days() -> None:
    made = of("AWS::Lambda::Function")
    kept = {"ExecutionTimeout": LOCAL.workflow_timeout_s, "RetentionPeriodInDays": 14}
    assert made["DurableConfig"] == kept
    assert made["Timeout"] == TIMEOUT_S == 900
    assert "SnapStart" not in made


def test_a_version_that_was_replaced_stays_for_what_began_on_it() -> None:
    """CDK would delete it, and with it whatever is waiting to go on."""
    (version,) = (
        one
        for id, one in stack().body["Resources"].items()
        if one["Type"] == "AWS::Lambda::Version" and id.startswith("Workflows")
    )
    assert version["UpdateReplacePolicy"] == "Retain"
    assert version["DeletionPolicy"] == "RetainExceptOnCreate", "or a rollback bars the next deploy"


def test_its_role_may_keep_steps_of_its_own_versions_before_anybody_can_invoke_it() -> None:
    (policy_id, policy), *_ = (
        (id, one) for id, one in stack().of_type("AWS::IAM::Policy").items() if "Checkpoints" in id
    )
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == [
        "lambda:CheckpointDurableExecution",
        "lambda:GetDurableExecutionState",
    ]
    joined = statement["Resource"]["Fn::Join"][1]
    assert joined[-1] == ":*", "an execution's ARN goes on after the version's"
    (alias,) = (
        one
        for id, one in stack().body["Resources"].items()
        if one["Type"] == "AWS::Lambda::Alias" and id.startswith("Workflows")
    )
    assert policy_id in alias["DependsOn"]


def test_nobody_is_let_in_by_the_stack_itself() -> None:
    """Whoever may invoke it acts for any client: that is for a team's own roles to say."""
    permissions = stack().of_type("AWS::Lambda::Permission").values()
    assert all("Workflows" not in json.dumps(one["FunctionName"]) for one in permissions)


def test_its_failures_have_alarms_and_its_executions_a_graph() -> None:
    watched = {one.get("MetricName") for one in stack().of_type("AWS::CloudWatch::Alarm").values()}
    assert {"DurableExecutionFailed", "DurableExecutionTimedOut", "Errors"} <= watched
    (board,) = stack().of_type("AWS::CloudWatch::Dashboard").values()
    assert "DurableExecutionSucceeded" in json.dumps(board)


def test_the_local_cloud_goes_without_nothing_of_it() -> None:
    body = json.loads(json.dumps(stack().body))
    assert not [one for one in without(body) if one.startswith("Workflow")]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One with a team's own file in it, for the rule alone."""
    monkeypatch.setattr(workflow_rules, "ROOT", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (SOUND, ""),
        ("import os\n" + SOUND + "async def _part(a): ...\n", ""),
        ("async def note(ask, given, /): ...\n", ""),
        ("def note(ask, given): ...\n", ": there is none in it"),
        ("async def _note(ask, given): ...\n", ": there is none in it"),
        (SOUND + "def part():\n    import numpy\n", ": it imports numpy, which is not in"),
        (SOUND + "from . import prompts\n", ": it imports ., which is not in"),
        (SOUND + "from ours.prompts import X\n", ": it imports ours, which is not in"),
        (SOUND + "from claude_core import errors\nimport json, re\n", ""),
        ("async def note(ask): ...\n", ": note: must take two arguments"),
        ("async def note(ask, given, *, more): ...\n", ": note: must take two arguments"),
        ("async def note(ask, given)\n", ": expected ':' "),
        ("\0", ": "),
    ],
)
def test_a_file_of_workflows_is_read_at_synth(repository: Path, text: str, says: str) -> None:
    (repository / "ours.py").write_text(text)
    found = workflow_rules.wrong("ours.py")
    assert found.startswith(says)
    assert bool(found) is bool(says)


@pytest.mark.parametrize("file", ["none.py", ".", "/etc/hostname", "../ours.py", ""])
def test_what_is_no_file_of_the_repository_is_refused(repository: Path, file: str) -> None:
    assert workflow_rules.wrong(file)


@pytest.mark.parametrize("file", ["docs/gotchas.md", "claude_core/models.py", "none.py"])
def test_a_broken_file_stops_the_deploy_of_its_stack_alone(file: str) -> None:
    app = build(make_app(env="dev", workflows_file=file))
    for made in (node for node in app.node.children if isinstance(node, Stack)):
        broken = [one for one in errors(made) if f"workflows_file = {file!r} in env dev" in one]
        assert len(broken) == (made.node.id == "OrchestratorStack")
        assert len(errors(made)) == len(broken)


@pytest.mark.parametrize(
    ("field", "value"),
    [("workflow_timeout_s", 59), ("workflow_timeout_s", 31_622_401), ("workflow_days", 91)],
)
def test_lambdas_own_limits_hold(field: str, value: int) -> None:
    (rule,) = (one for one in workflow_rules.WORKFLOWS if one.field == field)
    assert not rule.holds(value, DEV)
    assert all(rule.holds(getattr(config, field), config) for config in ENVIRONMENTS.values())


def test_the_page_says_what_the_code_does() -> None:
    page = " ".join((ROOT / "docs/workflows.md").read_text().split())
    for said in (
        f"up to {FREE_FAILURES} times",
        f"up to {ATTEMPTS} times",
        f"the function's {TIMEOUT_S // 60} minutes were nearly over",
        f"for `workflow_days` ({DEV.workflow_days})",
    ):
        assert said in page, said
    assert (DEV.workflow_timeout_s, "`workflow_timeout_s` (a day)" in page) == (86_400, True)
