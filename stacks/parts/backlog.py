"""How many tasks empty a queue: what waits and what is in flight, for each task that runs.

By hand, since CDK's own tracking takes no metric math. `tasks` is what the workers say of
themselves: ECS counts them only with Container Insights, which is sold by the task.
"""

from typing import cast

from aws_cdk import Duration
from aws_cdk import aws_applicationautoscaling as scaling
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.parts.alarms import Row, alarm

MINUTE = Duration.minutes(1)
"""The period of what Application Auto Scaling tracks."""
PER_TASK = "(FILL(waiting, 0) + FILL(in_flight, 0)) / IF(FILL(tasks, 0) > 0, FILL(tasks, 0), 1)"
"""Never a division by zero, and never without data: both would stop the scaling. An idle queue has
no metrics after six hours, and a stopped worker counts no more."""
ALONE = "IF(FILL(waiting, 0) > 0 AND FILL(tasks, 0) < 1, 1, 0)"

_Query = scaling.CfnScalingPolicy.TargetTrackingMetricDataQueryProperty


class Backlog(Construct):
    """Keeps the backlog of each task where it should be, and none from waiting alone."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        service: ecs.FargateService,
        queue: sqs.Queue,
        tasks: cloudwatch.Metric,
        per_task: float,
        least: int,
        most: int,
    ) -> None:
        super().__init__(scope, id)
        self._metrics = {
            "waiting": queue.metric_approximate_number_of_messages_visible(period=MINUTE),
            "in_flight": queue.metric_approximate_number_of_messages_not_visible(period=MINUTE),
            "tasks": tasks.with_(period=MINUTE, statistic="Sum"),
        }
        count = service.auto_scale_task_count(min_capacity=least, max_capacity=max(least, most))
        self._target = cast(scaling.ScalableTarget, count.node.find_child("Target"))
        self._track(per_task)
        if not least:
            self._never_alone()

    def _track(self, per_task: float) -> None:
        tracked = [
            *(
                _Query(id=id, metric_stat=_stat(one), return_data=False)
                for id, one in self._metrics.items()
            ),
            _Query(id="per_task", expression=PER_TASK, label="Backlog of a task", return_data=True),
        ]
        policy = scaling.CfnScalingPolicy
        policy(
            self,
            "PerTask",
            policy_name=f"{self.node.path.replace('/', '-')}-PerTask",
            policy_type="TargetTrackingScaling",
            scaling_target_id=self._target.scalable_target_id,
            target_tracking_scaling_policy_configuration=(
                policy.TargetTrackingScalingPolicyConfigurationProperty(
                    target_value=per_task,
                    scale_out_cooldown=60,
                    scale_in_cooldown=300,
                    customized_metric_specification=(
                        policy.CustomizedMetricSpecificationProperty(metrics=tracked)
                    ),
                )
            ),
        )

    def _never_alone(self) -> None:
        """Add a task where jobs wait and nobody works. Whoever sends a job starts one too, but the
        last may be leaving at that moment, and one job is too little for the tracking."""
        action = scaling.StepScalingAction(
            self,
            "Start",
            scaling_target=self._target,
            adjustment_type=scaling.AdjustmentType.CHANGE_IN_CAPACITY,
            cooldown=Duration.minutes(5),
        )
        action.add_adjustment(adjustment=1, lower_bound=0)
        alone = cloudwatch.MathExpression(
            expression=ALONE,
            period=MINUTE,
            label="Jobs wait, and no worker runs",
            using_metrics={id: self._metrics[id] for id in ("waiting", "tasks")},
        )
        row = Row("Alone", alone, 1, "jobs wait and no worker runs: one is started", 5)
        alarm(self, row, actions.ApplicationScalingAction(action))


def _stat(metric: cloudwatch.Metric) -> scaling.CfnScalingPolicy.TargetTrackingMetricStatProperty:
    policy = scaling.CfnScalingPolicy
    return policy.TargetTrackingMetricStatProperty(
        stat=metric.statistic,
        metric=policy.TargetTrackingMetricProperty(
            namespace=metric.namespace,
            metric_name=metric.metric_name,
            dimensions=[
                policy.TargetTrackingMetricDimensionProperty(name=name, value=str(value))
                for name, value in (metric.dimensions or {}).items()
            ],
        ),
    )
