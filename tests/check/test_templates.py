"""The CLI's own synth of every environment: validated, no finding open, what is accepted pinned."""

import json
import os
import re
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

CHAT, QUEUE, ROUTER = "WebsocketStack", "QueueStack", "OrchestratorStack"
NAG = "AwsSolutions::AwsSolutions-"
DEPLOYS = (
    f"{NAG}IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/"
    "service-role/AWSCodeDeployRoleForLambdaLimited]"  # pragma: allowlist secret
)
TASKS = "arn:<AWS::Partition>:ecs:<AWS::Region>:<AWS::AccountId>:task/<WorkersCluster>/*"
FOLDERS = {
    "JobsFunction/Role": ("uploads", "bodies", "results"),
    "InboxFunction/Role": ("uploads", "inbox", "bodies", "refused"),
    "BatchFunction/Role": ("bodies", "results"),
    "Workers/NowTask/Definition/TaskRole": ("bodies", "results"),
    "Workers/LongTask/Definition/TaskRole": ("bodies", "results"),
}
"""Of the bucket of files, that each role reaches objects of."""
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
    *((f"ServerlessStack/{name}Canary", DEPLOYS) for name in ("Api", "Stream")),
    (f"{ROUTER}/Function/Function", f"{NAG}L1"),
    (f"{ROUTER}/Canary", DEPLOYS),
    (f"{ROUTER}/Conversations", f"{NAG}DDB3"),
    (f"{QUEUE}/JobsCanary", DEPLOYS),
    *((f"{QUEUE}/{name}Function/Function", f"{NAG}L1") for name in ("Jobs", "Inbox", "Batch")),
    (f"{QUEUE}/Store/Jobs", f"{NAG}DDB3"),
    (f"{QUEUE}/Store/Files", f"{NAG}S1"),
    (f"{QUEUE}/Workers/Cluster", f"{NAG}ECS4"),
    *(
        (f"{QUEUE}/{role}", f"{NAG}IAM5[Resource::<StoreFiles.Arn>/{folder}/*]")
        for role, folders in FOLDERS.items()
        for folder in folders
    ),
    *(
        (f"{QUEUE}/Workers/{name}Task/Definition/TaskRole", f"{NAG}IAM5[Resource::{TASKS}]")
        for name in ("Now", "Long")
    ),
    ("NetworkStack/Vpc", f"{NAG}VPC7"),
    (f"{CHAT}/Conversations", f"{NAG}DDB3"),
    (f"{CHAT}/Entrance/AccessLogs", f"{NAG}S1"),
    (f"{CHAT}/Entrance/Group", f"{NAG}EC23"),
    (f"{CHAT}/Cluster", f"{NAG}ECS4"),
    *(
        (f"{task}/Definition", f"{NAG}{rule}")
        for task in (f"{CHAT}/Task", f"{QUEUE}/Workers/NowTask", f"{QUEUE}/Workers/LongTask")
        for rule in ("ECS2", "IAM5[Resource::*]")
    ),
    *(
        (f"{stack}/RestApi/Api", f"{NAG}{rule}")
        for stack in ("ServerlessStack", QUEUE, ROUTER)
        for rule in ("APIG2", "APIG3", "APIG4", "APIG6", "COG4")
    ),
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
                # A logical id without the hash that CDK puts after it.
                id = re.sub(r"<(\w+)[0-9A-F]{8}(\.Arn)?>", r"<\1\2>", finding["acknowledgedId"])
                accepted.add((finding["acknowledgedAt"], id))
    assert accepted == ACCEPTED


def test_prod_without_a_certificate_still_deploys_the_stacks_that_need_none(out: Path) -> None:
    """What the CLI says of each stack of one assembly, which was validated as `prod` above."""
    bare = str(out / "bare")
    whole = cdk("synth", "--quiet", "--output", bare, "-c", "env=prod", CDK_VALIDATION="false")
    assert whole.returncode != 0
    compiled = target_python("3.13") is not None
    fine = dict.fromkeys(("ServerlessStack", ROUTER), compiled)
    for stack, goes in {**fine, CHAT: False, QUEUE: False}.items():
        done = cdk("synth", stack, "--quiet", "--app", bare)
        said = done.stdout + done.stderr
        assert (done.returncode == 0) is goes, said
        assert ("certificate_arn = None in env prod" in said) is (stack == CHAT)
        assert ("base_image = 'python:3.13-slim' in env prod" in said) is (stack in (CHAT, QUEUE))


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
