"""New code meets a share of the calls first, and goes back by itself when an alarm rings."""

from collections.abc import Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.parts.nag import acknowledge

SHIFTS = frozenset(
    name
    for name in dir(codedeploy.LambdaDeploymentConfig)
    if name.startswith(("CANARY_", "LINEAR_", "ALL_AT_ONCE"))
)


def canary(
    scope: Construct,
    id: str,
    *,
    alias: lambda_.Alias,
    shift: str,
    alarms: Sequence[cloudwatch.Alarm],
) -> codedeploy.LambdaDeploymentGroup:
    """Shift `alias` as `shift`, one of SHIFTS, says."""
    group = codedeploy.LambdaDeploymentGroup(
        scope,
        id,
        alias=alias,
        deployment_config=getattr(codedeploy.LambdaDeploymentConfig, shift),
        alarms=list(alarms),
        auto_rollback=codedeploy.AutoRollbackConfig(
            failed_deployment=True, stopped_deployment=True, deployment_in_alarm=True
        ),
    )
    policy = "service-role/AWSCodeDeployRoleForLambdaLimited"  # pragma: allowlist secret
    managed = f"IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/{policy}]"
    acknowledge(group, {managed: "AWS's own policy for shifting an alias; CodeDeploy alone has it"})
    return group
