"""Every number of the infrastructure, and what differs between environments: values."""

import platform
import sys
from dataclasses import dataclass, replace

from claude_core.settings import CLAUDE_URL


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The Python that a bundle is made for."""

    python: str
    platform: str
    """As `uv pip install --python-platform` names it."""


def host() -> Target:
    """The Python that runs this: what the local cloud's functions run on."""
    machine = platform.machine().replace("arm64", "aarch64").replace("AMD64", "x86_64")
    system = {"darwin": "apple-darwin", "win32": "pc-windows-msvc"}.get(
        sys.platform, "manylinux_2_28"
    )
    return Target(
        python=f"{sys.version_info.major}.{sys.version_info.minor}", platform=f"{machine}-{system}"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """One environment. A timeout is one number; those around it follow from it."""

    environment: str
    stack_prefix: str = ""
    """Before CloudFormation's stack names; construct ids, and so commands, stay the same."""

    claude_url: str = CLAUDE_URL
    allow_plain_http: bool = False
    alarm_email: str | None = None

    keep_data: bool = False
    """Retain the secret and the tables when a stack goes, and protect them from deletion."""
    log_retention: str = "ONE_MONTH"
    """A name of aws_logs.RetentionDays."""
    snap_start: bool = False
    """Snapshots cost 6.84 USD a month for each of two functions, called or not."""
    lambda_target: Target = Target(python="3.13", platform="aarch64-manylinux2014")
    bytecode_required: bool = False
    """Refuse to deploy a bundle that every cold start would have to compile."""
    lambda_memory_mb: int = (
        1_769  # one vCPU: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
    )
    reserved_concurrency: int | None = None
    """Unset: it fails on accounts with a quota of 10."""

    web_adapter: str = "753240598075:layer:LambdaAdapterLayer{architecture}:30"
    """AWS's Lambda Web Adapter 1.1.0, the first with SnapStart hooks: account, layer, version.
    https://github.com/aws/aws-lambda-web-adapter/releases; replaceable the day that Python's
    managed runtime streams by itself (aws-lambda-roadmap #39)."""
    canary: str | None = None
    """A name of aws_codedeploy.LambdaDeploymentConfig; None shifts all calls at once."""

    api_timeout_s: int = 29
    """API Gateway's limit for a buffered route; three others follow from it."""
    stream_api_timeout_s: int = 900
    """API Gateway's limit for a streamed route; four others follow from it."""
    ping_s: int = 15
    """Silence after which a stream says that it is alive; API Gateway ends one after 5 minutes."""
    requests_per_s: int = 50
    requests_burst: int = 100
    waf_requests_per_5_min: int | None = None
    """From one address; None leaves the firewall out."""

    frame_bytes: int = 256 * 1024
    messages_per_minute: int = 60
    """Of one websocket."""
    sockets_per_client: int = 100
    """Of one client, at one task."""
    sockets_per_task: int = 2_000
    auth_s: int = 5
    """From a connection to a proved handshake."""
    idle_s: int = 15 * 60
    lifetime_s: int = 4 * 3_600
    """Of a websocket; then it is told to reconnect."""
    buffer_bytes: int = 64 * 1024
    """For a reader that does not take what is written; then Claude has to wait, too."""
    stall_s: int = 30
    """That a reader may take nothing, before its websocket is cut."""
    resume_s: int = 60
    drain_s: int = 110
    """Streams have so long after SIGTERM; Fargate kills at 120 s."""
    ws_ping_s: int = 20
    conversation_days: int = 30

    @property
    def function_timeout_s(self) -> int:
        return self.api_timeout_s - 1

    @property
    def request_timeout_s(self) -> int:
        """From arrival at API Gateway to Claude's answer; leaves 2 s to settle and encode."""
        return self.function_timeout_s - 2

    @property
    def answer_timeout_s(self) -> int:
        """What a buffered route gives Claude at most."""
        return self.request_timeout_s - 1

    @property
    def stream_function_timeout_s(self) -> int:
        return self.stream_api_timeout_s - 2

    @property
    def stream_timeout_s(self) -> int:
        """What a streamed answer may take; leaves 8 s to settle and to say why it ended."""
        return self.stream_function_timeout_s - 8

    @property
    def stream_answer_timeout_s(self) -> int:
        """What the streamed route gives a whole answer, or the first event: nothing is sent
        before it, and API Gateway ends what is silent for 5 minutes."""
        return min(280, self.stream_timeout_s)


DEV = Config(environment="dev")
PROD = Config(
    environment="prod",
    stack_prefix="prod-",
    keep_data=True,
    log_retention="ONE_YEAR",
    snap_start=True,
    bytecode_required=True,
    canary="CANARY_10_PERCENT_5_MINUTES",
    requests_per_s=200,
    requests_burst=400,
    waf_requests_per_5_min=2_000,
)
LOCAL = replace(
    DEV, environment="local", allow_plain_http=True, lambda_target=host(), snap_start=True
)

ENVIRONMENTS = {config.environment: config for config in (DEV, PROD, LOCAL)}
CONTEXT_KEYS = ("env", "claude_url", "alarm_email")
"""What may be given with `cdk -c KEY=VALUE`; everything else is an entry in ENVIRONMENTS."""


def choose(context: dict[str, str]) -> Config:
    """The environment that the command line asks for.

    Raises:
        SystemExit: one sentence naming the key, the value and what is allowed.
    """
    own = {key: value for key, value in context.items() if not _of_cdk(key)}
    for key in own:
        if key not in CONTEXT_KEYS:
            known = ", ".join(CONTEXT_KEYS)
            raise SystemExit(f"context key {key!r} is not known; use one of {known}")
    name = own.pop("env", "dev")
    if name not in ENVIRONMENTS:
        raise SystemExit(f"env {name!r} is not known; use one of {', '.join(ENVIRONMENTS)}")
    chosen = ENVIRONMENTS[name]
    return replace(
        chosen,
        claude_url=own.get("claude_url", chosen.claude_url),
        alarm_email=own.get("alarm_email", chosen.alarm_email),
    )


def _of_cdk(key: str) -> bool:
    """Feature flags, and what the CLI or an IDE adds by itself."""
    return key.startswith(("@aws-cdk", "aws-cdk", "aws:cdk", "cdk-migrate", "availability-zones"))
