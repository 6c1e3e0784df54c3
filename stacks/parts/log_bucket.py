"""A bucket for access logs: private, and emptied by the day."""

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.parts.nag import acknowledge


def log_bucket(scope: Construct, id: str, *, days: int) -> s3.Bucket:
    """It stays when the stack goes, since CloudFormation removes no full bucket; what is in it ends
    after so many days all the same."""
    made = s3.Bucket(
        scope,
        id,
        encryption=s3.BucketEncryption.S3_MANAGED,  # the only one that a load balancer writes to
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        enforce_ssl=True,
        lifecycle_rules=[
            s3.LifecycleRule(
                expiration=Duration.days(days),
                abort_incomplete_multipart_upload_after=Duration.days(1),
            )
        ],
        removal_policy=RemovalPolicy.RETAIN,
    )
    acknowledge(made, {"S1": "it holds access logs itself"})
    return made


def let_balancer_log(bucket: s3.Bucket, balancer: elbv2.ApplicationLoadBalancer) -> None:
    """By the principal that AWS names for all regions: the L2 wants to know the region instead.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
    """
    bucket.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[iam.ServicePrincipal("logdelivery.elasticloadbalancing.amazonaws.com")],
            actions=["s3:PutObject"],
            resources=[bucket.arn_for_objects(f"AWSLogs/{Stack.of(bucket).account}/*")],
        )
    )
    balancer.set_attribute("access_logs.s3.enabled", "true")
    balancer.set_attribute("access_logs.s3.bucket", bucket.bucket_name)
    if bucket.policy:
        balancer.node.add_dependency(bucket.policy)
