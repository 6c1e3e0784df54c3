"""The one way an alarm is made: five minutes, no data is no alarm, and somebody is told."""

from collections.abc import Iterable
from typing import NamedTuple

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

PERIOD = Duration.minutes(5)


class Row(NamedTuple):
    """An alarm when `metric` reaches `threshold` in each of so many periods."""

    id: str
    metric: cloudwatch.IMetric
    threshold: float
    says: str
    periods: int = 1


def alarms(
    scope: Construct, rows: Iterable[Row], *, topic: sns.ITopic
) -> dict[str, cloudwatch.Alarm]:
    """Make them; by id."""
    return {row.id: alarm(scope, row, actions.SnsAction(topic)) for row in rows}


def alarm(scope: Construct, row: Row, action: cloudwatch.IAlarmAction) -> cloudwatch.Alarm:
    """One that does something else than to tell a topic."""
    made = cloudwatch.Alarm(
        scope,
        row.id,
        metric=row.metric,
        threshold=row.threshold,
        evaluation_periods=row.periods,
        comparison_operator=(cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD),
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        alarm_description=row.says,
    )
    made.add_alarm_action(action)
    return made
