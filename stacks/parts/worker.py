"""The two services that work on jobs: one for all, one for those marked `long`."""

from dataclasses import replace

from aws_cdk import Stack
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from constructs import Construct

from claude_core.jobs.settings import JobSettings, StartSettings, WorkerSettings
from claude_core.settings import Settings
from stacks.config import Config
from stacks.network import NetworkStack
from stacks.parts.backlog import Backlog
from stacks.parts.job_queue import JobQueue
from stacks.parts.kit_metrics import KitMetrics
from stacks.parts.nag import acknowledge, logical_id
from stacks.parts.service import Service, cluster, spot_share
from stacks.parts.task import Task


class Workers(Construct):
    """In one cluster; each is started by the first job, and ends when there are none."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: Config,
        network: NetworkStack,
        settings: Settings,
        jobs: JobSettings,
        queues: dict[str, JobQueue],
        kit: KitMetrics,
    ) -> None:
        super().__init__(scope, id)
        self.cluster = cluster(self, "Cluster", network=network, spot=True)
        self.tasks: dict[str, Task] = {}
        self.services: dict[str, ecs.FargateService] = {}
        backlog = {"now": config.backlog_per_task, "long": config.long_backlog_per_task}
        least = {"now": config.worker_min_tasks, "long": 0}
        most = {"now": config.worker_max_tasks, "long": config.long_max_tasks}
        # Two minutes' notice are too short for what takes an hour.
        capacity = {"now": spot_share(config.worker_spot_percent), "long": spot_share(0)}
        for takes, told in worker_settings(config).items():
            name = takes.title()
            own = replace(settings, answer_timeout_s=told.job_timeout_s)
            self.tasks[takes] = Task(
                self,
                f"{name}Task",
                config=config,
                package="worker_src",
                env={**own.to_env(), **jobs.to_env(), **told.to_env()},
                cpu=config.worker_cpu,
                memory_mb=config.worker_memory_mb,
            )
            self.services[takes] = Service(
                self,
                name,
                config=config,
                network=network,
                cluster=self.cluster,
                task=self.tasks[takes],
                balanced=False,
                capacity=capacity[takes],
            ).service
            Backlog(
                self,
                f"{name}Backlog",
                service=self.services[takes],
                queue=queues[takes].queue,
                tasks=kit(f"workers_{takes}"),
                per_task=backlog[takes],
                least=least[takes],
                most=most[takes],
            )
            self._let_protect(self.tasks[takes].role)

    def settings(self) -> StartSettings:
        """What whoever sends a job is told."""
        return StartSettings(
            cluster=self.cluster.cluster_name,
            now_service=self.services["now"].service_name,
            long_service=self.services["long"].service_name,
        )

    def let_start(self, role: iam.IRole) -> None:
        """Let whoever sends a job start the first task."""
        role.add_to_principal_policy(
            iam.PolicyStatement(
                actions=["ecs:DescribeServices", "ecs:UpdateService"],
                resources=[service.service_arn for service in self.services.values()],
            )
        )

    def _let_protect(self, role: iam.IRole) -> None:
        """Let a task say that it is not to be scaled in. Its own id is not known before it runs."""
        cluster = self.cluster.cluster_name
        arn = Stack.of(self).format_arn(
            service="ecs", resource="task", resource_name=f"{cluster}/*"
        )
        role.add_to_principal_policy(
            iam.PolicyStatement(
                actions=["ecs:GetTaskProtection", "ecs:UpdateTaskProtection"], resources=[arn]
            )
        )
        id = logical_id(self.cluster)
        shown = f"arn:<AWS::Partition>:ecs:<AWS::Region>:<AWS::AccountId>:task/<{id}>/*"
        acknowledge(role, {f"IAM5[Resource::{shown}]": "the tasks of one cluster; ids come later"})


def worker_settings(config: Config) -> dict[str, WorkerSettings]:
    """What each kind of worker is told, by the queue it empties."""
    now = WorkerSettings(
        takes="now",
        slots=str(config.worker_slots),
        bytes_in_flight=str(config.worker_bytes),
        visibility_s=str(config.visibility_s),
        heartbeat_s=str(config.heartbeat_s),
        job_timeout_s=str(config.job_timeout_s),
        drain_s=str(config.drain_s),
    )
    long = replace(
        now,
        takes="long",
        slots=str(config.long_slots),
        job_timeout_s=str(config.long_job_timeout_s),
    )
    return {one.takes: one for one in (now, long)}
