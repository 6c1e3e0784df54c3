"""A log group that ends: kept as long as the environment says."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks.config import Config


def log_group(
    scope: Construct, id: str, *, config: Config, name: str | None = None
) -> logs.LogGroup:
    """A log group; `name` only where AWS demands one.

    Raises:
        SystemExit: the environment's retention is not one that CloudWatch knows.
    """
    if config.log_retention not in logs.RetentionDays.__members__:
        raise SystemExit(
            f"log_retention = {config.log_retention!r} in env {config.environment}: "
            "must be a name of aws_logs.RetentionDays, such as ONE_MONTH"
        )
    return logs.LogGroup(
        scope,
        id,
        log_group_name=name,
        retention=logs.RetentionDays[config.log_retention],
        removal_policy=RemovalPolicy.RETAIN if config.keep_data else RemovalPolicy.DESTROY,
    )
