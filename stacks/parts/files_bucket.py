"""The bucket of what is too large for a row, and of what is dropped in: private, versioned, ending.

Its folders are those of `claude_core.jobs.files`.
"""

from typing import cast

from aws_cdk import Aws, Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.config import Config
from stacks.parts.nag import acknowledge


def files_bucket(scope: Construct, id: str, *, config: Config) -> s3.Bucket:
    """It stays when the stack goes, since CloudFormation removes no full bucket; what is in it ends
    all the same."""
    days = {
        "uploads": config.upload_days,
        "bodies": config.body_days,
        "results": config.job_days + 1,
        "inbox": config.inbox_days,
        "refused": config.inbox_days,
    }
    made = s3.Bucket(
        scope,
        id,
        encryption=s3.BucketEncryption.S3_MANAGED,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        enforce_ssl=True,
        versioned=True,
        lifecycle_rules=[
            *(
                s3.LifecycleRule(prefix=f"{folder}/", expiration=Duration.days(end))
                for folder, end in days.items()
            ),
            s3.LifecycleRule(
                noncurrent_version_expiration=Duration.days(config.replaced_days),
                abort_incomplete_multipart_upload_after=Duration.days(1),
            ),
        ],
        removal_policy=RemovalPolicy.RETAIN,
    )
    acknowledge(
        made, {"S1": "access logs would name every document; CloudTrail tells who read one"}
    )
    return made


def notify(bucket: s3.Bucket, queue: sqs.Queue, *, folder: str) -> None:
    """Let S3 itself tell a queue of what is put into a folder: the L2 would bring a function and a
    custom resource to set it up, and EventBridge another hop."""
    queue.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[iam.ServicePrincipal("s3.amazonaws.com")],
            actions=["sqs:SendMessage"],
            resources=[queue.queue_arn],
            # Not the bucket: S3 asks for this policy before the bucket is there.
            conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
        )
    )
    created = s3.CfnBucket.QueueConfigurationProperty(
        event="s3:ObjectCreated:*",
        queue=queue.queue_arn,
        filter=s3.CfnBucket.NotificationFilterProperty(
            s3_key=s3.CfnBucket.S3KeyFilterProperty(
                rules=[s3.CfnBucket.FilterRuleProperty(name="prefix", value=f"{folder}/")]
            )
        ),
    )
    resource = cast(s3.CfnBucket, bucket.node.default_child)
    resource.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
        queue_configurations=[created]
    )
    resource.node.add_dependency(queue.node.find_child("Policy"))
