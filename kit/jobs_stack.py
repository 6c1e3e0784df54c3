"""The queue's stack as its operator reaches it: rows, queues, dead letters, services."""

import datetime as dt
from functools import cached_property
from typing import Any, Literal

from claude_core.jobs.job import Job
from claude_core.jobs.queue_message import Pointer, wake_up
from kit.dead_letters import DeadLetters
from kit.deployment import Deployment
from kit.fates import anew
from kit.say import err

Line = Literal["Now", "Long", "Batch"]
"""As the stack's outputs name its queues."""
LINES: tuple[Line, ...] = ("Now", "Long", "Batch")


class JobsStack:
    """One deployment's."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._outputs = deployment.outputs("QueueStack")
        self._table = self._outputs["JobsTableName"]

    @cached_property
    def _dynamodb(self) -> Any:
        return self._deployment.client("dynamodb")

    @cached_property
    def _sqs(self) -> Any:
        return self._deployment.client("sqs")

    def letters(self, line: Line) -> DeadLetters:
        dead, queue = self._outputs[f"{line}DlqName"], self._outputs[f"{line}QueueName"]
        return DeadLetters(self._sqs, dead=dead, queue=queue)

    def job(self, id: str) -> Job | None:
        """A job's row as it is now."""
        asked = {"TableName": self._table, "Key": {"id": {"S": id}}, "ConsistentRead": True}
        item = self._dynamodb.get_item(**asked).get("Item")
        return Job(item) if item else None

    def begin_anew(self, job: Job, lane: str | None = None) -> bool:
        """Make a job's row what it was when it was submitted; False: it has changed meanwhile."""
        write = anew(job, dt.datetime.now(dt.UTC), lane)
        try:
            self._dynamodb.update_item(TableName=self._table, Key={"id": {"S": job.id}}, **write)
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def send(self, job: Job, line: Line) -> None:
        """Tell a job's queue of it."""
        pointer = Pointer(job.id, job.client, job.model, job.bytes).to_text()
        batch = line == "Batch"
        self._sqs.send_message(
            QueueUrl=self._sqs.get_queue_url(QueueName=self._outputs[f"{line}QueueName"])[
                "QueueUrl"
            ],
            MessageBody=wake_up(job.model) if batch else pointer,
            MessageGroupId=job.model if batch else job.client,
        )
        self.start(line)

    def start(self, line: Line) -> None:
        """Give a line's service its first task, if it has none: it scales by itself from one on."""
        if line == "Batch":  # a function, which its queue calls
            return
        cluster, service = self._outputs["ClusterName"], self._outputs[f"{line}ServiceName"]
        try:
            ecs = self._deployment.client("ecs")
            (found,) = ecs.describe_services(cluster=cluster, services=[service])["services"]
            if found["desiredCount"] == 0:
                ecs.update_service(cluster=cluster, service=service, desiredCount=1)
        except Exception as failed:  # what was sent is safe, and waits
            err.print(f"{service} could not be started; jobs may wait: {failed}", markup=False)
