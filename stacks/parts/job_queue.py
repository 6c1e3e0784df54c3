"""The one way a queue is made: encrypted, kept for two weeks, with a place for dead letters."""

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.parts.function import Function

KEPT = Duration.days(14)
"""SQS's longest: what a weekend breaks is there on Monday."""


class JobQueue(Construct):
    """A standard queue; messages of one group, its client, do not hold up another's.
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
    """

    def __init__(self, scope: Construct, id: str, *, visibility_s: int, receives: int) -> None:
        """
        Args:
            visibility_s: that a message is hidden while somebody works on it.
            receives: after so many it is a dead letter.
        """
        super().__init__(scope, id)
        self.dead = sqs.Queue(
            self,
            "Dead",
            retention_period=KEPT,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
        )
        self.queue = sqs.Queue(
            self,
            "Queue",
            retention_period=KEPT,
            visibility_timeout=Duration.seconds(visibility_s),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead, max_receive_count=receives),
        )

    def let_send(self, role: iam.IRole, *, dead: bool = False) -> None:
        """Let a role send to it, or to its dead letters."""
        (self.dead if dead else self.queue).grant(role, "sqs:SendMessage")

    def feed(
        self, function: Function, *, batch: int = 10, window_s: int = 0, concurrency: int
    ) -> None:
        """Hand the messages to a function; those that it names as failed come again.

        Args:
            batch: messages of one call at most; window_s: that they are gathered for.
            concurrency: calls at once; without a bound a full queue takes all that the account has.
        """
        reads = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
        self.queue.grant(function.role, *(f"sqs:{action}" for action in reads))
        function.alias.add_event_source_mapping(
            "Source",
            event_source_arn=self.queue.queue_arn,
            batch_size=batch,
            max_batching_window=Duration.seconds(window_s) if window_s else None,
            max_concurrency=concurrency,
            report_batch_item_failures=True,
        )
