"""Which environment the command line asks for, and what it may change of it."""

from dataclasses import replace
from typing import Any

from stacks.config import ENVIRONMENTS, Config

CONTEXT_KEYS = (
    "env",
    "claude_url",
    "alarm_email",
    "certificate_arn",
    "hosted_zone_id",
    "hosted_zone_name",
    "domain_name",
    "base_image",
    "routes_file",
)
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
    given: dict[str, Any] = own
    return replace(ENVIRONMENTS[name], **given)


def _of_cdk(key: str) -> bool:
    """Feature flags, and what the CLI or an IDE adds by itself."""
    return key.startswith(("@aws-cdk", "aws-cdk", "aws:cdk", "cdk-migrate", "availability-zones"))
