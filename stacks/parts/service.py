"""The one way tasks are kept running: behind a closed door, replaced without a gap, scaled."""

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


class Service(Construct):
    """Tasks over the zones of the network. Nobody reaches them but who is let in by `service`."""

    def __init__(
        self, scope: Construct, id: str, *, config: Config, network: NetworkStack, task: Task
    ) -> None:
        super().__init__(scope, id)
        self._config = config
        group = ec2.SecurityGroup(
            self,
            "Group",
            vpc=network.vpc,
            allow_all_outbound=False,
            description="In: the load balancer alone. Out: Claude and AWS",
        )
        for port in sorted({443, urlsplit(config.claude_url).port or 443}):
            group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(port), "Claude and AWS")
        cluster = ecs.Cluster(self, "Cluster", vpc=network.vpc)
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
            availability_zone_rebalancing=ecs.AvailabilityZoneRebalancing.ENABLED,
            health_check_grace_period=Duration.seconds(60),
        )
        acknowledge(cluster, {"ECS4": "its own metrics say what Container Insights would sell"})

    def scale_by(self, metric: cloudwatch.IMetric, *, per_task: float) -> None:
        """Keep the average of `metric` at `per_task`. Never CPU: who waits for Claude uses none."""
        tasks = self.service.auto_scale_task_count(
            min_capacity=self._config.min_tasks,
            max_capacity=max(self._config.min_tasks, self._config.max_tasks),
        )
        tasks.scale_to_track_custom_metric(
            "Use",
            metric=metric,
            target_value=per_task,
            scale_out_cooldown=Duration.minutes(1),
            scale_in_cooldown=Duration.minutes(5),
        )
