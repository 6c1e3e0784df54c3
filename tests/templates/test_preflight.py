"""The CLI that runs the app must be able to read what it writes, or say so."""

import json
from pathlib import Path

import pytest
from aws_cdk.cloud_assembly_schema import Manifest

from stacks.preflight import check_cli

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("version", ["43.0.0", "36.0.24"])
def test_a_cli_that_is_too_old_is_one_sentence_that_names_the_mend(
    monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    monkeypatch.setenv("CDK_CLI_ASM_VERSION", version)
    monkeypatch.setenv("CDK_CLI_VERSION", "3.0.0")
    with pytest.raises(SystemExit, match=r"CDK CLI 3\.0\.0 cannot read .* `npm ci`"):
        check_cli()


@pytest.mark.parametrize("version", [Manifest.version(), "99.0.0", None])
def test_a_cli_that_can_read_it_or_none_at_all_passes(
    monkeypatch: pytest.MonkeyPatch, version: str | None
) -> None:
    if version:
        monkeypatch.setenv("CDK_CLI_ASM_VERSION", version)
    check_cli()


def test_the_pinned_cli_is_the_one_that_the_lock_installs() -> None:
    pinned = json.loads((ROOT / "package.json").read_text())["devDependencies"]["aws-cdk"]
    lock = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert lock["node_modules/aws-cdk"]["version"] == pinned == "2.1148.1"
