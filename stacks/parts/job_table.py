"""The table of jobs, with its two indexes: a client's own, and those that wait for a batch."""

from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from stacks.config import Config
from stacks.parts.table import string, table

LISTED = (
    *("status", "lane", "model", "doc_id", "created", "finished", "cost", "stop_reason"),
    *("error", "attempts"),
)
"""What a list of jobs shows; with their bodies and results it would cost a hundred times more."""
WAITING = (
    *("client", "bytes", "fence", "attempts", "status"),
    *("lane", "model", "doc_id", "result_bucket"),
)
"""What decides which jobs make a batch, and what is told of one that is over."""


def job_table(scope: Construct, id: str, *, config: Config) -> dynamodb.Table:
    """Rows as `claude_core.jobs.job` describes them; they end by themselves."""
    made = table(scope, id, config=config, key="id", expires="expires_at")
    for name, partition, sort, included in (
        ("by_client", "client", "listed", LISTED),
        ("waiting", "waiting", "created", WAITING),
    ):
        made.add_global_secondary_index(
            index_name=name,
            partition_key=string(partition),
            sort_key=string(sort),
            projection_type=dynamodb.ProjectionType.INCLUDE,
            non_key_attributes=list(included),
        )
    return made
