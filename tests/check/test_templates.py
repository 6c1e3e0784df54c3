"""The CLI's own synth of every environment: validated, no finding open, what is accepted pinned."""

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from stacks.config import ENVIRONMENTS
from stacks.parts.bytecode import target_python
from tests.synth import PROD_GIVEN

ROOT = Path(__file__).parents[2]
CDK = ROOT / "node_modules" / ".bin" / "cdk"
pytestmark = pytest.mark.check
EACH_ENV = pytest.mark.parametrize("env", ENVIRONMENTS)

API, CHAT = "ServerlessStack/RestApi/Api", "WebsocketStack"
NAG = "AwsSolutions::AwsSolutions-"
ACCEPTED = {
    ("SharedStack/ClaudeKey", f"{NAG}SMG4"),
    ("SharedStack/Clients", f"{NAG}DDB3"),
    ("SharedStack/History", f"{NAG}DDB3"),
    (
        "SharedStack/ApiLogsRole",
        f"{NAG}IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/"
        "service-role/AmazonAPIGatewayPushToCloudWatchLogs]",
    ),
    ("ServerlessStack/ApiFunction/Function", f"{NAG}L1"),
    ("ServerlessStack/StreamFunction/Function", f"{NAG}L1"),
    *(
        (
            f"ServerlessStack/{name}Canary",
            f"{NAG}IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/"
            "service-role/AWSCodeDeployRoleForLambdaLimited]",
        )
        for name in ("Api", "Stream")
    ),
    ("NetworkStack/Vpc", f"{NAG}VPC7"),
    (f"{CHAT}/Conversations", f"{NAG}DDB3"),
    (f"{CHAT}/Entrance/AccessLogs", f"{NAG}S1"),
    (f"{CHAT}/Entrance/Group", f"{NAG}EC23"),
    (f"{CHAT}/Service/Cluster", f"{NAG}ECS4"),
    (f"{CHAT}/Task/Definition", f"{NAG}ECS2"),
    (f"{CHAT}/Task/Definition", f"{NAG}IAM5[Resource::*]"),
    *((API, f"{NAG}{rule}") for rule in ("APIG2", "APIG3", "APIG4", "APIG6", "COG4")),
}
"""Findings that we live with, by place and id; the reason stands where the resource is made."""


@cache
def synth(env: str, out: Path) -> Path:
    """`cdk synth` with everything on, as a user runs it."""
    done = cdk("synth", "--quiet", "--output", str(out), *context(env))
    said, config = done.stdout + done.stderr, ENVIRONMENTS[env]
    # Where the target's Python is not to be had prod is refused for that alone, its templates
    # written and checked all the same.
    no_python = target_python(config.lambda_target.python) is None
    refused = config.bytecode_required and no_python
    assert (done.returncode != 0) is refused, said
    assert ("to compile the bundle with" in said) is no_python, said
    return out


def context(env: str) -> list[str]:
    given = {"env": env} | (PROD_GIVEN if env == "prod" else {})
    return [part for name, value in given.items() for part in ("-c", f"{name}={value}")]


def cdk(*arguments: str, **env: str) -> "subprocess.CompletedProcess[str]":
    clean = {name: value for name, value in os.environ.items() if name != "CDK_VALIDATION"}
    return subprocess.run(
        [str(CDK), *arguments],
        cwd=ROOT,
        env=clean | env,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="session")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("assembly")


def report(env: str, out: Path) -> list[dict[str, Any]]:
    written = json.loads((synth(env, out / env) / "validation-report.json").read_text())
    return list(written["pluginReports"])


@EACH_ENV
def test_no_finding_is_open(env: str, out: Path) -> None:
    reports = report(env, out)
    assert {"AwsSolutions"} <= {one["pluginName"] for one in reports}
    found = [violation["ruleName"] for one in reports for violation in one["violations"]]
    serves_http = not ENVIRONMENTS[env].https_required
    assert found == (["Annotation::kit:plain-http"] if serves_http else [])


def test_what_is_accepted_is_this_list_so_that_a_new_acceptance_is_seen_in_review(
    out: Path,
) -> None:
    accepted = set()
    for env in ENVIRONMENTS:
        for one in report(env, out):
            for finding in one.get("suppressedViolations", []):
                assert finding["reason"]
                accepted.add((finding["acknowledgedAt"], finding["acknowledgedId"]))
    assert accepted == ACCEPTED


def test_prod_without_a_certificate_still_deploys_the_stacks_that_need_none(out: Path) -> None:
    where = ("--quiet", "--output", str(out / "bare"), "-c", "env=prod")
    for stack, goes in (("ServerlessStack", target_python("3.13") is not None), (CHAT, False)):
        done = cdk("synth", stack, *where)
        said = done.stdout + done.stderr
        assert (done.returncode == 0) is goes, said
        assert ("certificate_arn = None in env prod" in said) is (stack == CHAT)


@EACH_ENV
def test_cfn_lint_finds_nothing(env: str, out: Path) -> None:
    written = sorted(synth(env, out / env).glob("*.template.json"))
    assert written
    lint = str(Path(sys.executable).with_name("cfn-lint"))
    done = subprocess.run(
        # W3005: CDK itself writes a DependsOn that a reference already implies.
        [lint, "--regions", "us-east-1", "--ignore-checks", "W3005", "--", *map(str, written)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
