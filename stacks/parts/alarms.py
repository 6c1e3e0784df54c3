"""The one way an alarm is made: five minutes, no data is no alarm, and somebody is told."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

PERIOD = Duration.minutes(5)
NAMESPACE = "ClaudeKit"


def kit_metric(name: str, *, service: str, statistic: str = "Sum") -> cloudwatch.Metric:
    """A metric that `claude_core.telemetry` writes; `service` is the stack's name."""
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=name,
        dimensions_map={"service": service},
        statistic=statistic,
        period=PERIOD,
    )


def alarm(
    scope: Construct,
    id: str,
    *,
    metric: cloudwatch.IMetric,
    threshold: float,
    topic: sns.ITopic,
    says: str,
    periods: int = 1,
) -> cloudwatch.Alarm:
    """Tell the topic when `metric` reaches `threshold` in each of so many periods."""
    made = cloudwatch.Alarm(
        scope,
        id,
        metric=metric,
        threshold=threshold,
        evaluation_periods=periods,
        comparison_operator=(cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD),
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        alarm_description=says,
    )
    made.add_alarm_action(actions.SnsAction(topic))
    return made
