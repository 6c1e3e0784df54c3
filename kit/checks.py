"""What `kit doctor` looks at: a row a check, each a small function that finds or mends."""

import json
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from claude_core.errors import KeyMissing
from claude_core.models import MODELS
from claude_core.secret import checked
from claude_core.settings import CLAUDE_URL
from claude_core.stored_versions import VERSIONS
from kit.deployment import Deployment
from kit.say import Stop
from kit.whole import Ledger
from local.paths import CDK, ROOT

BOOTSTRAP = "/cdk-bootstrap/hnb659fds/version"
LOW_CONCURRENCY = 10


class Bad(Exception):
    """A check failed: what was found, and what mends it."""


class Unasked(Exception):
    """A check could not be made, and why."""


@dataclass
class Patient:
    """What the checks look at, and what they have found out on the way."""

    deployment: Deployment
    key: str | None = None
    account: str | None = None
    found: dict[str, str] = field(default_factory=dict)

    def aws(self, service: str) -> Any:
        """A client, once the credentials are known to work."""
        if self.account is None:
            raise Unasked("AWS cannot be asked")
        return self.deployment.client(service)


def python(_: Patient) -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    oldest = str(project["requires-python"]).removeprefix(">=")
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < tuple(map(int, oldest.split("."))):
        raise Bad(f"{version} is too old; install {oldest} or newer, then: make install")
    return version


def node(_: Patient) -> str:
    version = _version("node", "--version").lstrip("v")
    if not version:
        raise Bad("not found; install Node 22 or newer: https://nodejs.org")
    if int(version.split(".")[0]) < 20:
        raise Bad(f"{version} is too old; install Node 22 or newer")
    return version if int(version.split(".")[0]) >= 22 else f"{version} (works; 22 is supported)"


def cdk_cli(_: Patient) -> str:
    pinned = json.loads((ROOT / "package.json").read_text())["devDependencies"]["aws-cdk"]
    version = _version(str(CDK), "--version").split(" ")[0] if CDK.exists() else ""
    if version != pinned:
        raise Bad(f"{version or 'not installed'}, and {pinned} is pinned; run: npm ci")
    return version


def uv(_: Patient) -> str:
    try:
        from uv import find_uv_bin

        return _version(find_uv_bin(), "--version")
    except (ImportError, FileNotFoundError) as err:
        raise Bad("not found; run: make install") from err


def credentials(patient: Patient) -> str:
    try:
        caller = patient.deployment.client("sts").get_caller_identity()
    except Stop:
        raise
    except Exception as err:
        name = type(err).__name__
        if name == "NoRegionError":
            raise Bad("no region; give --region, or set AWS_REGION") from err
        raise Bad(f"{name}; run: aws configure, or set AWS_PROFILE") from err
    patient.account = str(caller["Account"])
    return str(caller["Arn"])


def bootstrap(patient: Patient) -> str:
    ssm = patient.aws("ssm")
    try:
        return f"version {ssm.get_parameter(Name=BOOTSTRAP)['Parameter']['Value']}"
    except ssm.exceptions.ParameterNotFound as err:
        raise Bad("not done in this region; run: npx cdk bootstrap") from err


def concurrency(patient: Patient) -> str:
    limits = patient.aws("lambda").get_account_settings()["AccountLimit"]
    allowed = int(limits["ConcurrentExecutions"])
    if allowed <= LOW_CONCURRENCY:
        raise Bad(f"{allowed} at once in this account; ask for 1000: Service Quotas, L-B99A9384")
    return f"{allowed} at once"


def stacks(patient: Patient) -> str:
    if patient.account is None:
        raise Unasked("AWS cannot be asked")
    patient.found = patient.deployment.outputs("SharedStack")
    return patient.deployment.outputs("ServerlessStack")["ApiUrl"]


def rows(patient: Patient) -> str:
    """Whether this kit can read the clients, or a newer one has written them."""
    if not patient.found:
        raise Unasked("nothing is deployed")
    table, known = patient.found["ClientsTableName"], VERSIONS["client"]
    clients = Ledger(patient.aws("dynamodb"), table).read().rows
    newest = max((row.version for row in clients), default=known)
    if newest > known:
        raise Bad(
            f"rows of version {newest}, and this kit knows {known}: the deployment was downgraded, "
            "or this kit is older than it; install the kit that wrote them"
        )
    return f"{len(clients)} clients, of version {known} at most"


def secret(patient: Patient) -> str:
    if not patient.found:
        raise Unasked("nothing is deployed")
    manager = patient.aws("secretsmanager")
    try:
        stored = manager.get_secret_value(SecretId=patient.found["ClaudeSecretArn"])
        patient.key = checked(stored.get("SecretString", ""))
    except (manager.exceptions.ResourceNotFoundException, KeyMissing) as err:
        raise Bad("empty, or not a Claude key; run: kit key set") from err
    return f"filled, ends in {patient.key[-4:]}"


def models(patient: Patient) -> str:
    if patient.key is None:
        raise Unasked("there is no Claude key to ask with")
    import anthropic

    local = patient.deployment.local
    url = patient.deployment.here["Local"]["ClaudeUrl"] if local else CLAUDE_URL
    try:
        with anthropic.Anthropic(api_key=patient.key, base_url=url, timeout=10) as client:
            listed = {model.id: model.lifecycle for model in client.models.list(limit=1_000)}
    except anthropic.AuthenticationError as err:
        raise Bad("Claude refuses the key; run: kit key set") from err
    except anthropic.AnthropicError as err:
        raise Unasked(f"Claude cannot be asked: {type(err).__name__}") from err
    gone = [model.id for model in MODELS if listed.get(model.id, "retired") != "active"]
    if gone:
        raise Bad(f"not active any more: {', '.join(gone)}; edit claude_core/models.py")
    return f"{len(MODELS)} in use, all active"


CHECKS: tuple[tuple[str, Callable[[Patient], str]], ...] = (
    ("Python", python),
    ("Node", node),
    ("CDK CLI", cdk_cli),
    ("uv", uv),
    ("AWS credentials", credentials),
    ("CDK bootstrap", bootstrap),
    ("Lambda concurrency", concurrency),
    ("stacks", stacks),
    ("stored rows", rows),
    ("Claude key", secret),
    ("Claude models", models),
)


def _version(program: str, *arguments: str) -> str:
    if not shutil.which(program):
        return ""
    done = subprocess.run(
        [program, *arguments], capture_output=True, text=True, timeout=20, check=False
    )
    return done.stdout.strip()
