"""The command line against moto: what it writes is what the functions accept; keys stay keys."""

import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from claude_core.clients import ClientKey
from claude_core.errors import NotAllowed, NotAuthenticated
from claude_core.models import MODELS, resolve
from claude_core.stored_versions import VERSIONS
from kit import checks, deployment
from kit.main import app
from kit.say import Stop
from local.fake_claude.inprocess import Fake
from tests.doubles import CLAUDE_KEY, REGION, AwsDouble
from tests.kit.conftest import Kit, added
from tests.spending import spend


def rows(aws: AwsDouble) -> list[dict[str, Any]]:
    """Of the clients table, without the one that is of all of them."""
    items = aws.boto("dynamodb").scan(TableName="clients")["Items"]
    return [item for item in items if item["id"]["S"] != "#all"]


def reserve(aws: AwsDouble, key: str, model: str = "fast") -> None:
    spend(aws, key, 400, model=resolve(model))


def test_a_client_that_was_added_may_call_and_its_budget_is_charged(
    kit: Kit, aws: AwsDouble
) -> None:
    key = added(kit, "shop", "--budget", "5", "--models", "fast")
    reserve(aws, key)
    (listed,) = json.loads(kit("clients", "list", "--json").stdout)
    assert (listed["name"], listed["budget_usd"], listed["open"]) == ("shop", 5.0, 0)
    assert listed["left_usd"] == pytest.approx(5 - 400e-9)
    assert listed["last_used"] is not None
    with pytest.raises(NotAllowed):
        reserve(aws, key, "deep")


def test_a_key_is_shown_once_and_stored_nowhere(kit: Kit, aws: AwsDouble) -> None:
    result = kit("clients", "add", "shop")
    key = result.stdout.removesuffix("\n")
    assert re.fullmatch(r"ck_[\w-]{43}", key), "alone, for a shell's $(...)"
    assert "shown once" in result.stderr
    assert key not in kit("clients", "list").stdout
    assert key not in str(aws.boto("dynamodb").scan(TableName="clients"))


def test_a_disabled_client_is_refused_until_it_is_enabled(kit: Kit, aws: AwsDouble) -> None:
    key = added(kit)
    kit("clients", "disable", "shop")
    with pytest.raises(NotAllowed):
        reserve(aws, key)
    kit("clients", "enable", "shop")
    reserve(aws, key)


def test_a_rotated_client_has_two_keys_and_a_third_ends_the_first(kit: Kit, aws: AwsDouble) -> None:
    first = added(kit)
    second = json.loads(kit("clients", "rotate", "shop", "--json").stdout)["key"]
    reserve(aws, first)
    reserve(aws, second)
    third = json.loads(kit("clients", "rotate", "shop", "--json").stdout)["key"]
    reserve(aws, third)
    reserve(aws, second)
    with pytest.raises(NotAuthenticated):
        reserve(aws, first)


def test_dropping_the_old_key_leaves_the_newest(kit: Kit, aws: AwsDouble) -> None:
    first = added(kit)
    second = json.loads(kit("clients", "rotate", "shop", "--json").stdout)["key"]
    assert kit("clients", "rotate", "shop", "--drop-old").exit_code == 0
    reserve(aws, second)
    with pytest.raises(NotAuthenticated):
        reserve(aws, first)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["clients", "add", "x", "--budget", "0"], 2, "--budget 0: must be above 0"),
        (["clients", "add", "x", "--budget", "-1"], 2, "--budget -1: must be above 0"),
        (["clients", "add", "x", "--models", "gpt"], 2, "'gpt' is not one of fast"),
        (["clients", "add", "x", "--models", " "], 2, "--models: name at least one"),
        (["clients", "add", " "], 2, "NAME: must have a letter"),
        (["clients", "add", "shop"], 1, "there is a client 'shop' already"),
        (["clients", "disable", "shpo"], 1, "did you mean 'shop'?"),
        (["clients", "rotate", "zzz"], 1, "kit clients list"),
        (["ask", " "], 2, "nothing was asked"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_an_exit_code(
    kit: Kit, arguments: list[str], code: int, says: str
) -> None:
    added(kit, "shop")
    result = kit(*arguments)
    assert result.exit_code == code
    assert says in result.stderr
    assert "Traceback" not in result.output


def test_the_claude_key_is_stored_stripped_and_never_echoed(kit: Kit, aws: AwsDouble) -> None:
    result = kit("key", "set", words=f"  {CLAUDE_KEY}\n")
    assert result.exit_code == 0
    assert CLAUDE_KEY not in result.output
    assert CLAUDE_KEY[-4:] in result.output
    stored = aws.boto("secretsmanager").get_secret_value(SecretId="claude")
    assert stored["SecretString"] == CLAUDE_KEY


@pytest.mark.parametrize("words", ["", "\n", "ck_" + "a" * 43, "sk-ant-short"])
def test_what_is_no_claude_key_is_not_stored_and_not_echoed(
    kit: Kit, aws: AwsDouble, words: str
) -> None:
    result = kit("key", "set", words=words)
    assert (result.exit_code, "sk-ant-…" in result.stderr) == (2, True)
    assert not words.strip() or words.strip() not in result.output
    assert aws.count("secretsmanager:PutSecretValue") == 0


def test_ask_prints_the_answer_and_what_it_used_and_cost(kit: Kit) -> None:
    result = kit("ask", "Why is the sky blue?", "--model", "claude-haiku-5-5")
    assert result.exit_code == 0
    assert "sky" in result.stdout
    last = result.stdout.splitlines()[-1]
    assert re.search(r"claude-haiku-5-5 · \d+ in, \d+ out · \$0\.\d+ · end_turn", last)


def test_ask_reads_standard_input_and_answers_as_json(kit: Kit) -> None:
    result = kit("ask", "--json", "--model", "claude-haiku-5-5", words="hello")
    answer = json.loads(result.stdout)
    usage = answer["usage"]
    nano = usage["input_tokens"] * 100 + usage["output_tokens"] * 500
    assert (answer["type"], answer["cost_usd"]) == ("message", pytest.approx(nano / 1e9))


def test_ask_streams_so_that_an_answer_may_take_minutes(kit: Kit, claude: Fake) -> None:
    kit("ask", "hello", "--model", "claude-haiku-5-5")
    (record,) = claude.stats()["requests"]
    assert json.loads(claude.body(record["id"]))["stream"] is True


def test_a_chat_keeps_the_conversation_and_a_question_that_fails_is_not_part_of_it(
    kit: Kit, claude: Fake
) -> None:
    claude.plan(["answer text=one", "overloaded", "answer text=two"])
    model = ("--model", "claude-haiku-5-5")
    result = kit("ask", "--chat", *model, words="first\nsecond\n\nthird\n")
    assert result.exit_code == 0
    assert "529" in result.stderr
    assert "together $" in result.stdout.splitlines()[-1]
    *_, last = claude.stats()["requests"]
    said = json.loads(claude.body(last["id"]))["messages"]
    assert [message["role"] for message in said] == ["user", "assistant", "user"]
    assert [said[0]["content"], said[1]["content"][0]["text"], said[2]["content"]] == [
        *("first", "one", "third")
    ]


def test_an_answer_that_breaks_off_is_not_shown_as_whole(kit: Kit, claude: Fake) -> None:
    claude.plan(["stream_error"])
    result = kit("ask", "hello", "--model", "claude-haiku-5-5")
    assert result.exit_code == 1
    assert "not whole: Overloaded" in result.stderr


def test_an_answer_cut_at_the_limit_says_which_option_to_raise(kit: Kit, claude: Fake) -> None:
    claude.plan(["max_tokens"])
    result = kit("ask", "hello", "--model", "claude-haiku-5-5")
    assert "cut at --max-tokens" in result.stdout


def test_a_refusal_is_shown_with_its_request_id(kit: Kit, claude: Fake) -> None:
    claude.plan(["spend_cap"])
    result = kit("ask", "hello", "--model", "claude-haiku-5-5")
    assert result.exit_code == 1
    assert "429" in result.stderr
    assert "req_" in result.stderr


def test_a_clients_prompts_are_cached_when_its_owner_says_so(kit: Kit) -> None:
    def cached() -> list[bool]:
        return [one["cache_prompts"] for one in json.loads(kit("clients", "list", "--json").stdout)]

    added(kit, "shop", "--cache-prompts")
    assert cached() == [True]
    kit("clients", "cache", "shop", "--off")
    assert cached() == [False]
    kit("clients", "cache", "shop")
    assert cached() == [True]


def test_without_a_local_cloud_it_says_how_to_get_one(outputs: Path) -> None:
    result = CliRunner().invoke(app, ["clients", "list", "--local"])
    assert (result.exit_code, result.stderr.strip()) == (
        1,
        "no local cloud is up; run: make local",
    )


def test_without_credentials_it_says_how_to_get_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    result = CliRunner().invoke(app, ["clients", "list", "--region", "us-east-1"])
    assert result.exit_code == 1
    assert "no AWS credentials" in result.stderr


@pytest.mark.parametrize(("env", "prefix"), [("dev", ""), ("prod", "prod-")])
def test_stacks_are_found_by_name_and_a_missing_one_says_what_to_deploy(
    aws: AwsDouble, monkeypatch: pytest.MonkeyPatch, env: str, prefix: str
) -> None:
    real = deployment.Deployment(env=env, region=REGION, profile=None, local=False)
    monkeypatch.setattr(real, "client", aws.boto)
    with pytest.raises(Stop, match=f"{prefix}SharedStack is not deployed; run: npx cdk"):
        real.outputs("SharedStack")
    body: dict[str, Any] = {
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {"ClientsTableName": {"Value": "t"}},
    }
    aws.boto("cloudformation").create_stack(
        StackName=f"{prefix}SharedStack", TemplateBody=json.dumps(body)
    )
    assert real.outputs("SharedStack") == {"ClientsTableName": "t"}


def test_an_unknown_environment_is_named(kit: Kit) -> None:
    result = CliRunner().invoke(app, ["clients", "list", "--env", "staging"])
    assert (result.exit_code, "use one of dev, prod" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    "command",
    [[], ["key"], ["clients"], ["key", "set"], ["clients", "add"], ["clients", "list"], ["ask"]],
)
def test_help_explains_each_command(command: list[str]) -> None:
    result = CliRunner().invoke(app, [*command, "--help"])
    assert result.exit_code == 0
    assert "Usage" in result.stdout


def line(output: str, check: str) -> str:
    (found,) = [one for one in output.splitlines() if one[5:].startswith(check)]
    return found


def test_doctor_says_what_mends_an_empty_secret_and_then_that_it_is_filled(
    kit: Kit, aws: AwsDouble
) -> None:
    aws.boto("ssm").put_parameter(Name=checks.BOOTSTRAP, Value="33", Type="String")
    before = kit("doctor")
    assert before.exit_code == 1
    assert "kit key set" in line(before.stdout, "Claude key")
    assert line(before.stdout, "Claude models").startswith("-")
    kit("key", "set", words=CLAUDE_KEY)
    after = kit("doctor")
    assert line(after.stdout, "Claude key").startswith("ok")
    assert line(after.stdout, "Claude models").startswith("ok")
    assert CLAUDE_KEY not in after.stdout


def test_doctor_says_what_mends_a_missing_bootstrap(kit: Kit) -> None:
    assert "npx cdk bootstrap" in line(kit("doctor").stdout, "CDK bootstrap")


def test_doctor_tells_of_rows_that_a_newer_kit_wrote(kit: Kit, aws: AwsDouble) -> None:
    client, known = ClientKey.parse(added(kit)).id, VERSIONS["client"]
    assert line(kit("doctor").stdout, "stored rows").startswith("ok")
    aws.boto("dynamodb").update_item(
        TableName=aws.table,
        Key={"id": {"S": client}},
        UpdateExpression="SET v = :v",
        ExpressionAttributeValues={":v": {"N": str(known + 1)}},
    )
    result = kit("doctor")
    found = line(result.stdout, "stored rows")
    assert (result.exit_code, found.startswith("FAIL")) == (1, True)
    assert f"rows of version {known + 1}, and this kit knows {known}: the deployment was" in found


def test_doctor_tells_of_a_key_that_claude_refuses(kit: Kit, claude: Fake) -> None:
    kit("key", "set", words=CLAUDE_KEY)
    claude.keys(["sk-ant-" + "another-key-of-tests"])
    assert "Claude refuses the key" in line(kit("doctor").stdout, "Claude models")


def test_doctor_tells_of_a_model_that_is_gone(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    retired = type("Model", (), {"id": "claude-sonnet-4-20250514"})
    monkeypatch.setattr(checks, "MODELS", (*MODELS, retired))
    kit("key", "set", words=CLAUDE_KEY)
    found = line(kit("doctor").stdout, "Claude models")
    assert "claude-sonnet-4-20250514; edit claude_core/models.py" in found


@pytest.mark.parametrize(("allowed", "passes"), [(10, False), (1_000, True)])
def test_doctor_warns_of_an_account_that_allows_ten_functions_at_once(
    allowed: int, passes: bool
) -> None:
    class Lambda:
        def get_account_settings(self) -> dict[str, dict[str, int]]:
            return {"AccountLimit": {"ConcurrentExecutions": allowed}}

    patient = checks.Patient(
        deployment.Deployment(env="dev", region=None, profile=None, local=False), account="1"
    )
    patient.deployment.client = lambda service, **_: Lambda()  # type: ignore[method-assign]
    if passes:
        assert checks.concurrency(patient) == f"{allowed} at once"
    else:
        with pytest.raises(checks.Bad, match="Service Quotas"):
            checks.concurrency(patient)


def test_doctor_without_credentials_checks_what_it_can(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    result = CliRunner().invoke(app, ["doctor", "--region", REGION])
    assert result.exit_code == 1
    assert "aws configure" in line(result.stdout, "AWS credentials")
    assert line(result.stdout, "CDK bootstrap").startswith("-")


def test_doctor_tells_of_a_cdk_that_is_not_the_pinned_one(
    kit: Kit, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(checks, "CDK", tmp_path / "none")
    assert "npm ci" in line(kit("doctor").stdout, "CDK CLI")


def test_the_month_of_the_list_is_the_month_of_the_budget(kit: Kit, aws: AwsDouble) -> None:
    added(kit)
    (row,) = rows(aws)
    last_year = f"left_{dt.datetime.now(dt.UTC).year - 1}_01"
    aws.boto("dynamodb").put_item(TableName="clients", Item=row | {last_year: {"N": "1"}})
    (listed,) = json.loads(kit("clients", "list", "--json").stdout)
    assert listed["left_usd"] == listed["budget_usd"]
