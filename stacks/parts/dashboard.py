"""One dashboard a stack: a table of titles and metrics, two graphs to a row."""

from collections.abc import Mapping, Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

Graphs = Mapping[str, Sequence[cloudwatch.IMetric]]


def dashboard(scope: Construct, id: str, *, graphs: Graphs) -> cloudwatch.Dashboard:
    """Draw each title's metrics over time."""
    made = cloudwatch.Dashboard(scope, id)
    drawn = [
        cloudwatch.GraphWidget(title=title, left=list(metrics), width=12)
        for title, metrics in graphs.items()
    ]
    for start in range(0, len(drawn), 2):
        made.add_widgets(*drawn[start : start + 2])
    return made
