"""The one way a function is made: own role, own log group, a published version behind an alias."""

from collections.abc import Sequence

from aws_cdk import Acknowledgment, Duration, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.config import Config
from stacks.parts.assets import NONE, Files, lambda_code
from stacks.parts.log_group import log_group
from stacks.parts.nag import acknowledge

ALIAS = "live"


class Function(Construct):
    """A Python function on arm64. Callers reach `alias`; grants go to `role`."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: Config,
        package: str,
        handler: str,
        env: dict[str, str],
        timeout_s: int,
        description: str,
        layers: Sequence[lambda_.ILayerVersion] = (),
        waited_for: bool = True,
        files: Files = NONE,
    ) -> None:
        """
        Args:
            files: what else its bundle holds, by path in it.
            waited_for: by a caller, so that a snapshot is worth its price.
        """
        super().__init__(scope, id)
        self.log_group = log_group(self, "Logs", config=config)
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        self.log_group.grant(self.role, "logs:CreateLogStream", "logs:PutLogEvents")
        snapshots = lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS
        self.function = lambda_.Function(
            self,
            "Function",
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            code=lambda_code(self, package, config, files),
            handler=handler,
            environment=env,
            role=self.role,
            log_group=self.log_group,
            layers=list(layers),
            timeout=Duration.seconds(timeout_s),
            memory_size=config.lambda_memory_mb,
            reserved_concurrent_executions=config.reserved_concurrency,
            snap_start=snapshots if config.snap_start and waited_for else None,
            description=description,
        )
        self.alias = lambda_.Alias(
            self, "Alias", alias_name=ALIAS, version=self.function.current_version
        )
        publish = "@aws-cdk/aws-lambda:snapStartRequirePublish"
        Validations.of(self.function).acknowledge(
            Acknowledgment(id=f"Annotation::{publish}", reason="the alias publishes a version")
        )
        acknowledge(
            self.function, {"L1": "Python 3.13: every wheel in the lock is made for it (cp313)"}
        )
