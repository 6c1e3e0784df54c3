"""`kit workflow` on AWS: started as an event, followed by the id that Lambda gives it."""

import datetime as dt
import json
from typing import Any

import pytest

from kit import executions
from kit.executions import Executions
from kit.say import Stop
from tests.kit.conftest import Kit

FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:Workflows"
BEGUN = dt.datetime(2026, 11, 28, 10, 0, tzinfo=dt.UTC)


class Missing(Exception): ...


class Started(Exception): ...


class Lambda:
    """What AWS documents of it: one execution of a name, known by its ARN."""

    class exceptions:  # noqa: N801
        DurableExecutionAlreadyStartedException = Started
        ResourceNotFoundException = Missing
        InvalidParameterValueException = Missing

    def __init__(self) -> None:
        self.invoked: list[dict[str, Any]] = []
        self.states: list[dict[str, Any]] = [{"Status": "RUNNING"}]

    def invoke(self, **asked: Any) -> dict[str, str]:
        named = [one for one in self.invoked if one.get("DurableExecutionName") == "note-17"]
        if named and asked["Payload"] != named[0]["Payload"]:
            raise Started
        self.invoked.append(asked)
        name = asked["DurableExecutionName"]
        return {"DurableExecutionArn": f"{FUNCTION}:3/durable-execution/{name}/87d0"}

    def get_durable_execution(self, DurableExecutionArn: str) -> dict[str, Any]:  # noqa: N803
        if not DurableExecutionArn.startswith(f"{FUNCTION}:3/durable-execution/"):
            raise Missing
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return {"StartTimestamp": BEGUN, **state}


@pytest.fixture
def aws_lambda(monkeypatch: pytest.MonkeyPatch) -> Lambda:
    monkeypatch.setattr(executions, "LOOK_S", 0.0)
    return Lambda()


def of(client: Lambda, *, local: bool = False) -> Executions:
    return Executions(client, f"{FUNCTION}:live", local=local)


def test_it_is_started_as_an_event_by_the_alias_under_its_name(aws_lambda: Lambda) -> None:
    assert of(aws_lambda).start({"workflow": "note"}, "note-17") == "3/note-17/87d0"
    (asked,) = aws_lambda.invoked
    assert asked["FunctionName"] == f"{FUNCTION}:live"
    assert asked["InvocationType"] == "Event"
    assert json.loads(asked["Payload"]) == {"workflow": "note"}


def test_one_that_nobody_named_has_a_name_all_the_same(aws_lambda: Lambda) -> None:
    """A request that boto3 sends again, its answer being late, must not begin another one."""
    first, second = (of(aws_lambda).start({"workflow": "note"}) for _ in range(2))
    assert first != second
    assert all(len(asked["DurableExecutionName"]) == 32 for asked in aws_lambda.invoked)


def test_another_event_under_the_same_name_is_refused(aws_lambda: Lambda) -> None:
    of(aws_lambda).start({"input": 1}, "note-17")
    assert of(aws_lambda).start({"input": 1}, "note-17") == "3/note-17/87d0"
    with pytest.raises(Stop, match="note-17 has begun before, with another event"):
        of(aws_lambda).start({"input": 2}, "note-17")


def test_it_is_waited_for_until_lambda_says_that_it_has_ended(aws_lambda: Lambda) -> None:
    done = {"output": "a note", "cost_usd": 0.5}
    ended = BEGUN + dt.timedelta(seconds=90)
    last = {"Status": "SUCCEEDED", "Result": json.dumps(done), "EndTimestamp": ended}
    aws_lambda.states = [{"Status": "RUNNING"}, {"Status": "RUNNING"}, last]
    found = of(aws_lambda).wait("3/note-17/87d0")
    assert (found.status, found.result, found.took_s) == ("SUCCEEDED", done, 90.0)


def test_why_it_failed_is_told_by_the_kits_own_error(aws_lambda: Lambda) -> None:
    error = {"ErrorType": "claude_core.errors.OverBudget", "ErrorMessage": "too dear"}
    aws_lambda.states = [{"Status": "FAILED", "Error": error}]
    assert of(aws_lambda).wait("3/a/b").error == "OverBudget: too dear"
    aws_lambda.states = [{"Status": "TIMED_OUT"}]
    assert of(aws_lambda).wait("3/a/b").error is None


@pytest.mark.parametrize("id", ["4/note-17/87d0", "", "nonsense"])
def test_one_that_is_not_there_is_said_not_to_be(aws_lambda: Lambda, id: str) -> None:
    with pytest.raises(Stop, match="there is no execution"):
        of(aws_lambda).find(id)


def test_without_workflows_it_says_how_to_have_some(kit: Kit, outputs: Any) -> None:
    told = json.loads(outputs.read_text()) | {"OrchestratorStack": {"ApiUrl": "http://x"}}
    outputs.write_text(json.dumps(told))
    failed = kit("workflow", "show", "1/a/b")
    assert failed.exit_code == 1
    assert "set workflows_file (docs/workflows.md)" in failed.output


def test_a_client_is_named_and_known(kit: Kit) -> None:
    assert "--client: whose budget pays?" in kit("workflow", "run", "note").output
    assert "there is no client 'shop'" in kit("workflow", "run", "note", "--client", "shop").output
