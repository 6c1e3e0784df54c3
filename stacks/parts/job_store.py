"""Where jobs are kept and sent, and who may do what there: by action, index, folder and queue."""

from dataclasses import dataclass

from aws_cdk import Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from constructs import Construct

from claude_core.jobs.settings import JobSettings
from stacks.config import Config
from stacks.parts.files_bucket import files_bucket
from stacks.parts.job_queue import JobQueue
from stacks.parts.job_table import job_table
from stacks.parts.nag import acknowledge, logical_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What one role does with jobs."""

    table: tuple[str, ...]
    """Actions of DynamoDB."""
    indexes: tuple[str, ...] = ()
    """Of the table; they are queried."""
    reads: tuple[str, ...] = ()
    reads_versions: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    """Folders of the bucket."""
    sends: tuple[str, ...] = ()
    """Names of queues."""
    buries: tuple[str, ...] = ()
    """Queues whose dead letters it sends."""
    works: tuple[str, ...] = ()
    """Queues that it empties."""
    finishes: bool = False
    """Tells the bus, and puts results into other buckets."""


class JobStore(Construct):
    """Table, bucket, bus and the three queues."""

    def __init__(self, scope: Construct, id: str, *, config: Config) -> None:
        super().__init__(scope, id)
        self._config = config
        self.table = job_table(self, "Jobs", config=config)
        self.files = files_bucket(self, "Files", config=config)
        # CDK's own name would be the same in two environments of one account.
        name = f"{Stack.of(self).stack_name}-jobs"
        self.bus = events.EventBus(self, "Bus", event_bus_name=name)
        visible, receives = config.visibility_s, config.job_receives
        self.queues = {
            "now": JobQueue(self, "Now", visibility_s=visible, receives=receives),
            "long": JobQueue(self, "Long", visibility_s=visible, receives=receives),
            "batch": JobQueue(
                self,
                "Batch",
                visibility_s=config.batch_visibility_s,
                receives=config.batch_receives,
            ),
        }

    def settings(self) -> JobSettings:
        """What everybody who touches jobs is told."""
        urls = {f"{name}_queue": one.queue.queue_url for name, one in self.queues.items()}
        dead = {f"{name}_dlq": one.dead.queue_url for name, one in self.queues.items()}
        return JobSettings(
            jobs_table=self.table.table_name,
            files_bucket=self.files.bucket_name,
            event_bus=self.bus.event_bus_name,
            result_buckets=",".join(self._config.result_buckets),
            job_days=str(self._config.job_days),
            batch_delay_s=str(self._config.batch_delay_s),
            **urls,
            **dead,
        )

    def let(self, role: iam.IRole, needs: Needs) -> None:
        """Grant what a role needs, and nothing besides."""
        # The table's own grant would open every index, too.
        table = self.table.table_arn
        _allow(role, [table], *(f"dynamodb:{action}" for action in needs.table))
        if needs.indexes:
            _allow(role, [f"{table}/index/{name}" for name in needs.indexes], "dynamodb:Query")
        self._open(role, "s3:GetObject", needs.reads)
        self._open(role, "s3:GetObjectVersion", needs.reads_versions)
        self._open(role, "s3:PutObject", needs.writes)
        for name in needs.sends:
            self.queues[name].let_send(role)
        for name in needs.buries:
            self.queues[name].let_send(role, dead=True)
        for name in needs.works:
            actions = ("ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility")
            self.queues[name].queue.grant(role, *(f"sqs:{action}" for action in actions))
        if needs.finishes:
            _allow(role, [self.bus.event_bus_arn], "events:PutEvents")
            self._open_others(role)

    def _open(self, role: iam.IRole, action: str, folders: tuple[str, ...]) -> None:
        if not folders:
            return
        _allow(role, [self.files.arn_for_objects(f"{name}/*") for name in folders], action)
        bucket = logical_id(self.files)
        why = "the objects of one folder: each is named by its client and its job"
        acknowledge(role, {f"IAM5[Resource::<{bucket}.Arn>/{name}/*]": why for name in folders})

    def _open_others(self, role: iam.IRole) -> None:
        names = self._config.result_buckets
        if names:
            arns = [f"arn:{Stack.of(self).partition}:s3:::{name}/results/*" for name in names]
            _allow(role, arns, "s3:PutObject")
            why = "results, in a bucket that the configuration names"
            shown = [
                f"IAM5[Resource::arn:<AWS::Partition>:s3:::{name}/results/*]" for name in names
            ]
            acknowledge(role, dict.fromkeys(shown, why))


def _allow(role: iam.IRole, resources: list[str], *actions: str) -> None:
    role.add_to_principal_policy(iam.PolicyStatement(actions=list(actions), resources=resources))
