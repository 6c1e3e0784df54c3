"""The one way a table is made: paid by the request, and kept and recoverable where data is."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from stacks.config import Config
from stacks.parts.nag import acknowledge


def table(
    scope: Construct,
    id: str,
    *,
    config: Config,
    key: str,
    sort_key: str | None = None,
    expires: str | None = None,
    lasting: bool = True,
) -> dynamodb.Table:
    """A table of string keys; `expires` names the attribute that DynamoDB's TTL reads. One that is
    not `lasting` holds nothing that would be missed."""
    keep = config.keep_data and lasting
    made = dynamodb.Table(
        scope,
        id,
        partition_key=string(key),
        sort_key=string(sort_key) if sort_key else None,
        time_to_live_attribute=expires,
        billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=keep
        ),
        deletion_protection=keep,
        removal_policy=RemovalPolicy.RETAIN if keep else RemovalPolicy.DESTROY,
    )
    if not keep:
        acknowledge(made, {"DDB3": "point-in-time recovery is on where data is kept"})
    return made


def string(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
