"""The command line against moto: `kit … --local`, with the fake as Claude."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from kit import deployment
from kit.main import app
from local.fake_claude.inprocess import Fake
from tests.doubles import CLAUDE_KEY, REGION, AwsDouble
from tests.kit.jobs_shell import served_jobs, shell
from tests.kit.router_rows import kept, questions

__all__ = ["kept", "questions", "served_jobs", "shell"]

Kit = Callable[..., Result]


@pytest.fixture
def outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "outputs.json"
    monkeypatch.setattr(deployment, "OUTPUTS", path)
    return path


@pytest.fixture
def kit(aws: AwsDouble, claude: Fake, outputs: Path) -> Kit:
    """`kit … --local`, with moto as the cloud and the fake as Claude."""
    written = {
        "SharedStack": {
            "ClientsTableName": aws.clients_table(),
            "HistoryTableName": aws.history_table(),
            "AlarmTopicArn": aws.alarm_topic(),
            "ClaudeSecretArn": aws.claude_secret(key=None),
        },
        "ServerlessStack": {"ApiUrl": claude.url},
        "Local": {
            "AwsEndpoint": aws.url,
            "Region": REGION,
            "AccessKeyId": "testing",
            "ClaudeUrl": claude.url,
            "ClientKey": CLAUDE_KEY,
        },
    }
    outputs.write_text(json.dumps(written))

    def run(*arguments: str, words: str | None = None) -> Result:
        return CliRunner().invoke(app, [*arguments, "--local"], input=words)

    return run


def added(kit: Kit, name: str = "shop", *options: str) -> str:
    """A new client's key."""
    result = kit("clients", "add", name, "--json", *options)
    assert result.exit_code == 0, result.output
    return str(json.loads(result.stdout)["key"])
