"""The embedded cloud: an AWS emulator on loopback, and the real `cdk deploy` into it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
from uv import find_uv_bin

from local.paths import ASSEMBLY, CDK, CLOUD_VENV, HOME, ROOT, STATE, TMP, clean_env
from local.processes import Guarded, run

REGION, ACCOUNT = "us-east-1", "000000000000"
ACCESS_KEY = "local"
LOCK = ROOT / "local" / "requirements.lock"
DOCKER = ROOT / "local" / "docker-stand-in"


def prepare() -> None:
    """An environment of its own for the emulator: it runs the functions on its own interpreter,
    with its own packages on their path, and ours would hide what a bundle lacks."""
    stamp = CLOUD_VENV / "lock"
    if stamp.exists() and stamp.read_bytes() == LOCK.read_bytes():
        return
    python = CLOUD_VENV / "bin" / "python"
    for command in (
        ["venv", "--quiet", "--clear", "--python", sys.executable, str(CLOUD_VENV)],
        ["pip", "install", "--quiet", "--python", str(python), "--require-hashes", "-r", str(LOCK)],
    ):
        subprocess.run([find_uv_bin(), *command], check=True)
    stamp.write_bytes(LOCK.read_bytes())


def start(port: int, *, name: str = "cloud", state: Path = STATE) -> Guarded:
    """The emulator on a loopback port, with an environment that holds nothing of ours.

    Args:
        name: of its log; state: where it keeps what it is given.
    """
    env = clean_env() | {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_REGION": REGION,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "S3_DATA_DIR": str(state / "s3"),
        "STATE_DIR": str(state / "state"),
    }
    return Guarded(name, [str(CLOUD_VENV / "bin" / "ministack")], env)


def synth(claude_url: str) -> None:
    """Write the templates of the local environment."""
    context = ["-c", "env=local", "-c", f"claude_url={claude_url}"]
    env = clean_env() | {"CDK_VALIDATION": "false"}  # `make check` validates; this is for speed
    run("synth", _cdk("synth", "--quiet", "--output", str(ASSEMBLY), *context), env)


def deploy(endpoint: str, outputs: Path, assembly: Path = ASSEMBLY) -> dict[str, Any]:
    """Bootstrap, and deploy every stack of the assembly; the stacks' outputs."""
    env = clean_env() | credentials(endpoint) | {"CDK_DOCKER": str(DOCKER)}
    app = ("--app", str(assembly))  # without it, bootstrap would run app.py once more
    run("bootstrap", _cdk("bootstrap", *app, f"aws://{ACCOUNT}/{REGION}"), env)
    arguments = (*app, "--require-approval", "never", "--progress", "events")
    run("deploy", _cdk("deploy", "--all", *arguments, "--outputs-file", str(outputs)), env)
    found: dict[str, Any] = json.loads(outputs.read_text())
    return found


def client(service: str, endpoint: str) -> Any:
    """A client of one AWS service, for the emulator."""
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=ACCESS_KEY,
    )


def credentials(endpoint: str) -> dict[str, str]:
    """What a program needs to reach the emulator as its AWS."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": ACCESS_KEY,
    }


def here(url: str, endpoint: str) -> str:
    """The address on this machine of an API Gateway URL that the emulator gave out; any other URL
    as it is."""
    if ".execute-api." not in url:
        return url
    host, _, stage = url.removeprefix("https://").partition("/")
    return f"{endpoint}/_aws/execute-api/{host.split('.')[0]}/{stage.rstrip('/')}"


def make_folders() -> None:
    for folder in (HOME, TMP, STATE / "logs"):
        folder.mkdir(parents=True, exist_ok=True)


def _cdk(*arguments: str) -> list[str]:
    if not CDK.exists():
        raise SystemExit("the CDK CLI is not installed; run: npm ci")
    return [str(CDK), "--no-notices", *arguments]
