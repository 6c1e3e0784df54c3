"""The websocket pattern: ALB -> FastAPI on Fargate -> Claude, streaming both ways."""

import re
from dataclasses import fields, replace

from aws_cdk import Annotations, CfnOutput, Stack
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_sns as sns
from constructs import Construct

from claude_core.http_routes import Backend, open_paths
from claude_core.settings import ChatSettings
from stacks.config import Config
from stacks.network import NetworkStack
from stacks.parts import rules, service_rules
from stacks.parts.alarms import PERIOD, Row, alarms
from stacks.parts.dashboard import dashboard
from stacks.parts.firewall import KEYS, TICKETS, Firewall
from stacks.parts.kit_metrics import KitMetrics
from stacks.parts.load_balancer import LoadBalancer
from stacks.parts.service import Service, cluster
from stacks.parts.table import table
from stacks.parts.task import Task
from stacks.shared import SharedStack

PORT = 8080
OPEN_PATHS = ("/", "/page/.+", *(re.escape(path) for path in open_paths(Backend.CHAT)))
"""What the firewall lets through without a key or a ticket."""
CONVERSATION_ACTIONS = ("PutItem", "Query", "DeleteItem")


class WebsocketStack(Stack):
    """Chat and steady streams, with a page to chat on."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: Config,
        shared: SharedStack,
        network: NetworkStack,
    ) -> None:
        super().__init__(
            scope,
            id,
            stack_name=config.stack_prefix + id,
            description="Claude behind a load balancer and Fargate",
        )
        rules.check_config(self, config, service_rules.WEBSOCKET)
        self._kit = KitMetrics(self.stack_name)
        conversations = table(
            self,
            "Conversations",
            config=config,
            key="id",
            sort_key="turn",
            expires="expires_at",
        )
        told = replace(
            shared.settings(self, config),
            answer_timeout_s=str(config.service_answer_timeout_s),
            stream_timeout_s=str(config.service_stream_timeout_s),
            ping_s=str(config.ping_s),
        )
        task = Task(
            self,
            "Task",
            config=config,
            package="service_src",
            env={**told.to_env(), **chat_settings(config, conversations.table_name).to_env()},
            cpu=config.service_cpu,
            memory_mb=config.service_memory_mb,
            port=PORT,
        )
        entrance = LoadBalancer(self, "Entrance", config=config, vpc=network.vpc)
        service = Service(
            self,
            "Service",
            config=config,
            network=network,
            cluster=cluster(self, "Cluster", network=network),
            task=task,
        )
        targets = entrance.send_to(service.service, port=PORT, ready="/ready")
        service.scale_by(
            self._kit("active_streams", "Average"),
            per_task=config.streams_per_task,
            least=config.min_tasks,
            most=config.max_tasks,
        )
        if config.waf_requests_per_5_min:
            Firewall(
                self,
                "Firewall",
                config=config,
                resource_arn=entrance.balancer.load_balancer_arn,
                requests_per_5_min=config.waf_requests_per_5_min,
                open_paths=OPEN_PATHS,
                proofs=KEYS | TICKETS,
            )

        shared.let_call(task.role)
        conversations.grant(task.role, *(f"dynamodb:{name}" for name in CONVERSATION_ACTIONS))

        self._alarms(config, shared.alarms, entrance.balancer, targets)
        self._draw(service.service, entrance.balancer, targets)
        if not (config.serves_https or config.https_required):
            Annotations.of(self).add_warning_v2(
                "kit:plain-http",
                "the service is reached over plain HTTP, and client keys with it: "
                "set certificate_arn, or hosted_zone_id and hosted_zone_name",
            )
        CfnOutput(self, "ServiceUrl", value=entrance.url)
        CfnOutput(self, "ConversationsTableName", value=conversations.table_name)

    def _alarms(
        self,
        config: Config,
        topic: sns.ITopic,
        balancer: elbv2.ApplicationLoadBalancer,
        targets: elbv2.ApplicationTargetGroup,
    ) -> None:
        kit = self._kit
        unhealthy = targets.metrics.unhealthy_host_count(statistic="Maximum", period=PERIOD)
        own = balancer.metrics.http_code_elb(elbv2.HttpCodeElb.ELB_5XX_COUNT, period=PERIOD)
        theirs = targets.metrics.http_code_target(
            elbv2.HttpCodeTarget.TARGET_5XX_COUNT, period=PERIOD
        )
        begin = kit("gen_ai.response.time_to_first_chunk", "p95")
        rows = (
            Row("UnhealthyHosts", unhealthy, 1, "a task does not get ready; see its log", 2),
            Row("BalancerErrors", own, 5, "no task took the request, or one was cut off"),
            Row("ServiceErrors", theirs, 5, "the service, or Claude, answered 5xx; see the log"),
            Row(
                "StreamsNearLimit",
                kit("active_streams", "Average"),
                config.streams_per_task * 1.5,
                "tasks are not added fast enough, or max_tasks is reached",
                2,
            ),
            Row(
                "SocketsNearLimit",
                kit("open_sockets", "Maximum"),
                config.sockets_per_task * 0.8,
                "a task soon refuses sockets: raise max_tasks, or lower streams_per_task",
            ),
            Row("SlowFirstToken", begin, config.first_token_s, "one in twenty begins late", 2),
            Row(
                "Reconnects",
                kit("reconnects"),
                config.reconnects_per_5_min,
                "many answers are taken up again: tasks or connections break",
            ),
        )
        alarms(self, (*rows, *kit.alarms()), topic=topic)

    def _draw(
        self,
        service: ecs.FargateService,
        balancer: elbv2.ApplicationLoadBalancer,
        targets: elbv2.ApplicationTargetGroup,
    ) -> None:
        kit, elb, target = self._kit, balancer.metrics, targets.metrics
        dashboard(
            self,
            "Dashboard",
            graphs={
                "Requests, and 5xx of the load balancer and of the service": [
                    elb.request_count(),
                    elb.http_code_elb(elbv2.HttpCodeElb.ELB_5XX_COUNT),
                    target.http_code_target(elbv2.HttpCodeTarget.TARGET_5XX_COUNT),
                ],
                "Active streams and open sockets of a task, average and most": [
                    kit("active_streams", "Average"),
                    kit("active_streams", "Maximum"),
                    kit("open_sockets", "Average"),
                    kit("open_sockets", "Maximum"),
                ],
                "Chats, and answers taken up again": [kit("chats"), kit("reconnects")],
                "Tasks, healthy and not": [
                    target.healthy_host_count(),
                    target.unhealthy_host_count(),
                ],
                **kit.graphs(),
                "CPU and memory of the tasks (%)": [
                    service.metric_cpu_utilization(),
                    service.metric_memory_utilization(),
                ],
            },
        )


def chat_settings(config: Config, conversations_table: str) -> ChatSettings:
    """The numbers of the configuration that the service is told: they are named alike."""
    names = {field.name for field in fields(ChatSettings)} - {"conversations_table"}
    numbers = {name: str(getattr(config, name)) for name in names}
    return ChatSettings(conversations_table=conversations_table, **numbers)
