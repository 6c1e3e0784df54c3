"""A team's workflows as a durable function: what a step has answered is kept until the end."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from claude_core.settings import Settings, WorkflowSettings
from stacks.config import Config
from stacks.parts.alarms import PERIOD, Row
from stacks.parts.assets import ROOT
from stacks.parts.dashboard import Graphs
from stacks.parts.function import Function
from stacks.parts.nag import acknowledge, logical_id

FILE = "workflows.py"
"""Where a team's own are in the bundle."""
TIMEOUT_S = 900
"""Lambda's own limit: of one stretch of an execution, from one wait to the next."""


class Workflows(Function):
    """`lambda_src.workflow`; nobody may invoke it whom IAM does not let."""

    def __init__(
        self, scope: Construct, id: str, *, config: Config, settings: Settings, workflows_file: str
    ) -> None:
        told = WorkflowSettings(
            workflows_file=FILE, workflow_timeout_s=str(config.workflow_timeout_s)
        )
        super().__init__(
            scope,
            id,
            config=config,
            package="lambda_src",
            handler="lambda_src.workflow.handler",
            env={**settings.to_env(), **told.to_env()},
            timeout_s=TIMEOUT_S,
            description="Workflows, each step asked and paid for once",
            waited_for=False,
            files={FILE: ROOT / workflows_file},
            lock="workflow.lock",
            durable=lambda_.DurableConfig(
                execution_timeout=Duration.seconds(config.workflow_timeout_s),
                retention_period=Duration.days(config.workflow_days),
            ),
        )
        # Apart from the role's own policy: the function waits for that one, and this one for it.
        versions = f"{self.function.function_arn}:*"
        kept = iam.Policy(
            self,
            "Checkpoints",
            roles=[self.role],
            statements=[
                iam.PolicyStatement(
                    actions=[
                        "lambda:CheckpointDurableExecution",
                        "lambda:GetDurableExecutionState",
                    ],
                    resources=[versions],
                )
            ],
        )
        self.alias.node.add_dependency(kept)
        own = f"IAM5[Resource::<{logical_id(self.function)}.Arn>:*]"
        acknowledge(kept, {own: "executions of each of its own versions"})

    def alarms(self) -> tuple[Row, ...]:
        failed, late = self._executions("Failed"), self._executions("TimedOut")
        return (
            Row("WorkflowErrors", self.function.metric_errors(), 1, "it crashed; it begins again"),
            Row("WorkflowsFailed", failed, 1, "see its executions in the Lambda console"),
            Row("WorkflowsLate", late, 1, "longer than workflow_timeout_s"),
        )

    def graphs(self) -> Graphs:
        names = ("Started", "Succeeded", "Failed", "TimedOut", "Stopped")
        return {"Workflows": [self._executions(name) for name in names]}

    def _executions(self, name: str) -> cloudwatch.Metric:
        """https://docs.aws.amazon.com/lambda/latest/dg/durable-monitoring.html"""
        return self.function.metric(f"DurableExecution{name}", statistic="Sum", period=PERIOD)
