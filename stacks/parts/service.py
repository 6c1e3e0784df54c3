"""The one way tasks are kept running: behind a closed door, replaced without a gap, scaled."""

from collections.abc import Sequence
from typing import cast
from urllib.parse import urlsplit

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from stacks.config import Config
from stacks.network import NetworkStack
from stacks.parts.nag import acknowledge
from stacks.parts.task import Task


def cluster(scope: Construct, id: str, *, network: NetworkStack, spot: bool = False) -> ecs.Cluster:
    """Where services run; on Spot too, if `spot` says so."""
    made = ecs.Cluster(scope, id, vpc=network.vpc)
    if spot:
        # The L2 would make a resource of its own of it, and no service would wait for that.
        resource = cast(ecs.CfnCluster, made.node.default_child)
        resource.capacity_providers = ["FARGATE", "FARGATE_SPOT"]
    acknowledge(made, {"ECS4": "its own metrics say what Container Insights would sell"})
    return made


def spot_share(percent: int) -> list[ecs.CapacityProviderStrategy]:
    """One task on demand, and of those beyond it so many on Spot."""
    shares = {"FARGATE": 100 - percent, "FARGATE_SPOT": percent}
    return [
        ecs.CapacityProviderStrategy(
            capacity_provider=provider, weight=share, base=1 if provider == "FARGATE" else None
        )
        for provider, share in shares.items()
        if share
    ]


class Service(Construct):
    """Tasks over the zones of the network. Nobody reaches them but who is let in by `service`."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: Config,
        network: NetworkStack,
        cluster: ecs.ICluster,
        task: Task,
        balanced: bool = True,
        capacity: Sequence[ecs.CapacityProviderStrategy] | None = None,
    ) -> None:
        """
        Args:
            balanced: a load balancer stands before it; what takes work from a queue is not to be
                moved to another zone in the middle of it.
            capacity: what its tasks run on; on demand unless it says so.
        """
        super().__init__(scope, id)
        group = ec2.SecurityGroup(
            self,
            "Group",
            vpc=network.vpc,
            allow_all_outbound=False,
            description=f"In: {'the load balancer alone' if balanced else 'nobody'}. "
            "Out: Claude and AWS",
        )
        for port in sorted({443, urlsplit(config.claude_url).port or 443}):
            group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(port), "Claude and AWS")
        # No desired count: each deploy would set it back, and end tasks in use.
        self.service = ecs.FargateService(
            self,
            "Service",
            cluster=cluster,
            task_definition=task.definition,
            assign_public_ip=network.public_ip,
            vpc_subnets=network.task_subnets,
            security_groups=[group],
            min_healthy_percent=100,
            max_healthy_percent=200,
            circuit_breaker=ecs.DeploymentCircuitBreaker(rollback=True),
            # A zone that comes back is used again.
            availability_zone_rebalancing=ecs.AvailabilityZoneRebalancing[
                "ENABLED" if balanced else "DISABLED"
            ],
            health_check_grace_period=Duration.seconds(60) if balanced else None,
            capacity_provider_strategies=capacity,
        )

    def scale_by(
        self, metric: cloudwatch.IMetric, *, per_task: float, least: int, most: int
    ) -> None:
        """Keep the average of `metric` at `per_task`. Never CPU: who waits for Claude uses none."""
        tasks = self.service.auto_scale_task_count(
            min_capacity=least, max_capacity=max(least, most)
        )
        tasks.scale_to_track_custom_metric(
            "Use",
            metric=metric,
            target_value=per_task,
            scale_out_cooldown=Duration.minutes(1),
            scale_in_cooldown=Duration.minutes(5),
        )
