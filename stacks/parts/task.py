"""The one way a container runs on Fargate: arm64, nothing to write to, no rights but its role's."""

from pathlib import Path

from aws_cdk import Duration, Stack
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.config import Config
from stacks.parts.log_group import log_group
from stacks.parts.nag import acknowledge
from stacks.parts.service_rules import OPEN_FILES

ROOT = Path(__file__).parents[2]
USER = "10001:10001"
"""Numbers, since the image has no name for them; its files are readable to all."""
LIVES = (
    "import os, urllib.request as u; "
    "u.urlopen(f\"http://127.0.0.1:{os.environ.get('AWS_LWA_PORT', 8080)}/health\", timeout=5)"
)
"""Whether a task still answers; its image has no curl, and no shell is needed."""


def image(
    scope: Construct, id: str, *, package: str, config: Config
) -> ecr_assets.DockerImageAsset:
    """The image of one package; its name changes with what is in it, and with nothing else."""
    return ecr_assets.DockerImageAsset(
        scope,
        id,
        directory=str(ROOT),
        file=f"{package}/Dockerfile",
        build_args={"BASE": config.base_image},
        platform=ecr_assets.Platform.LINUX_ARM64,
        exclude=[
            *("*", "!claude_core", f"!{package}"),
            *("**/__pycache__", "**/*.pyc", "**/*.in", "**/requirements.lock"),
        ],
    )


class Task(Construct):
    """A task of one container. Grants go to `role`; what AWS itself needs is another role's."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: Config,
        package: str,
        env: dict[str, str],
        cpu: int,
        memory_mb: int,
        port: int | None = None,
    ) -> None:
        """Run `python -m package`, which answers `GET /health` on 8080 as long as it lives.

        Args:
            cpu: 1,024 are one vCPU.
            port: what a load balancer reaches of it.
        """
        super().__init__(scope, id)
        self.log_group = log_group(self, "Logs", config=config)
        self.definition = ecs.FargateTaskDefinition(
            self,
            "Definition",
            # CDK's own name would be the same in two environments of one account.
            family=f"{Stack.of(self).stack_name}-{id}",
            cpu=cpu,
            memory_limit_mib=memory_mb,
            runtime_platform=ecs.RuntimePlatform(
                cpu_architecture=ecs.CpuArchitecture.ARM64,
                operating_system_family=ecs.OperatingSystemFamily.LINUX,
            ),
        )
        self.role: iam.IRole = self.definition.task_role
        linux = ecs.LinuxParameters(self, "Linux")
        linux.drop_capabilities(ecs.Capability.ALL)
        container = self.definition.add_container(
            package,
            image=ecs.ContainerImage.from_docker_image_asset(
                image(self, "Image", package=package, config=config)
            ),
            command=["python", "-m", package],
            environment={**env, "AWS_REGION": Stack.of(self).region},
            user=USER,
            readonly_root_filesystem=True,
            linux_parameters=linux,
            stop_timeout=Duration.seconds(config.stop_timeout_s),
            health_check=ecs.HealthCheck(
                command=["CMD", "python", "-c", LIVES],
                interval=Duration.seconds(30),
                timeout=Duration.seconds(10),
                retries=3,
                start_period=Duration.seconds(60),
            ),
            logging=ecs.LogDrivers.aws_logs(
                stream_prefix=id,
                log_group=self.log_group,
                # A CloudWatch that does not answer must not hold up a stream.
                mode=ecs.AwsLogDriverMode.NON_BLOCKING,
            ),
        )
        # Said, not left to a default: at 1,024 connections end long before memory does.
        container.add_ulimits(
            ecs.Ulimit(name=ecs.UlimitName.NOFILE, soft_limit=OPEN_FILES, hard_limit=OPEN_FILES)
        )
        if port:
            container.add_port_mappings(ecs.PortMapping(container_port=port))
        acknowledge(
            self.definition,
            {
                "ECS2": "environment variables hold names and numbers; the key is read at run time",
                "IAM5[Resource::*]": "ecr:GetAuthorizationToken is for no single repository",
            },
        )
