"""Every number of the infrastructure, and what differs between environments: values."""

import platform
import sys
from dataclasses import dataclass, replace

from claude_core.settings import CLAUDE_URL
from stacks.queue_numbers import QueueNumbers
from stacks.service_numbers import ServiceNumbers


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


@dataclass(frozen=True, kw_only=True)
class Config(ServiceNumbers, QueueNumbers):
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
    """6.84 USD a month for each function that a caller waits for, called or not."""
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

    routes_file: str | None = None
    """A team's own table of routes, by its path in this repository; None: the one that ships."""
    classifier_failures_percent: int = 20
    """Of the questions asked of the classifier in five minutes, before an alarm rings."""

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
    nat_gateways=2,
    flow_logs=True,
    pinned_image=True,
    service_cpu=1_024,
    service_memory_mb=2_048,
    min_tasks=2,
    max_tasks=10,
    streams_per_task=150,
    https_required=True,
    access_log_days=365,
    worker_min_tasks=1,
    worker_max_tasks=10,
    long_max_tasks=4,
    starts_per_15_min=20,
)
LOCAL = replace(
    DEV,
    environment="local",
    allow_plain_http=True,
    lambda_target=host(),
    snap_start=True,
    batch_delay_s=5,
)

ENVIRONMENTS = {config.environment: config for config in (DEV, PROD, LOCAL)}
