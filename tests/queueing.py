"""What the queue pattern has in the cloud, as moto plays it: table, bucket, queues, services."""

import json
from dataclasses import dataclass, field
from typing import Any

from claude_core.jobs.job import Job
from claude_core.jobs.settings import JobSettings, StartSettings
from tests.doubles import AwsDouble

BUCKET, TABLE, CLUSTER = "files", "jobs", "workers"
QUEUES = ("now", "long", "batch")
LISTED = (
    *("status", "lane", "model", "doc_id", "created", "finished", "cost", "stop_reason"),
    *("error", "attempts"),
)
WAITING = (
    *("client", "bytes", "fence", "attempts", "status"),
    *("lane", "model", "doc_id", "result_bucket"),
)


def jobs_table(aws: AwsDouble) -> str:
    """The table and its two indexes, projected as the stack projects them."""

    def index(name: str, partition: str, sort: str, included: tuple[str, ...]) -> dict[str, Any]:
        return {
            "IndexName": name,
            "KeySchema": [
                {"AttributeName": partition, "KeyType": "HASH"},
                {"AttributeName": sort, "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": list(included)},
        }

    keys = ("id", "client", "listed", "waiting", "created")
    aws.boto("dynamodb").create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        GlobalSecondaryIndexes=[
            index("by_client", "client", "listed", LISTED),
            index("waiting", "waiting", "created", WAITING),
        ],
    )
    return TABLE


@dataclass
class Queueing:
    """A whole deployment of the pattern, empty; what is in it can be looked at."""

    aws: AwsDouble
    urls: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        jobs_table(self.aws)
        self.s3, self.sqs = self.aws.boto("s3"), self.aws.boto("sqs")
        self.s3.create_bucket(Bucket=BUCKET)
        self.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        for name in (*QUEUES, *(f"{name}-dlq" for name in QUEUES), "inbox"):
            self.urls[name] = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        ecs = self.aws.boto("ecs")
        ecs.create_cluster(clusterName=CLUSTER)
        ecs.register_task_definition(
            family="worker",
            containerDefinitions=[{"name": "worker", "image": "worker", "memory": 512}],
        )
        for name in ("now-service", "long-service"):
            ecs.create_service(
                cluster=CLUSTER, serviceName=name, taskDefinition="worker", desiredCount=0
            )
        self.ecs = ecs

    def settings(self, **more: str) -> JobSettings:
        queues = {f"{name}_queue": self.urls[name] for name in QUEUES}
        dead = {f"{name}_dlq": self.urls[f"{name}-dlq"] for name in QUEUES}
        return JobSettings(
            jobs_table=TABLE, files_bucket=BUCKET, event_bus="jobs", **queues, **dead, **more
        )

    def starting(self) -> StartSettings:
        return StartSettings(
            cluster=CLUSTER, now_service="now-service", long_service="long-service"
        )

    def sent(self, queue: str) -> list[dict[str, Any]]:
        """What was sent to a queue, in order: bodies of messages, whoever has received them."""
        return [json.loads(one["MessageBody"]) for one in self.entries(queue)]

    def entries(self, queue: str) -> list[dict[str, Any]]:
        return [
            entry
            for service, action, asked in self.aws.calls
            if (service, action) == ("amazonsqs", "SendMessageBatch")
            and asked["QueueUrl"] == self.urls[queue]
            for entry in asked["Entries"]
        ]

    def job(self, id: str) -> Job:
        key = {"id": {"S": id}}
        return Job(self.aws.boto("dynamodb").get_item(TableName=TABLE, Key=key)["Item"])

    def jobs(self) -> list[Job]:
        """Every job's row, in the order of their making."""
        found = self.aws.boto("dynamodb").scan(TableName=TABLE)["Items"]
        rows = [Job(item) for item in found if item["id"]["S"].startswith("job_")]
        return sorted(rows, key=lambda job: job.place)

    def change(self, id: str, **values: Any) -> None:
        """Write attributes of a row, as a worker might."""
        item = self.job(id).item | values
        self.aws.boto("dynamodb").put_item(TableName=TABLE, Item=item)

    def put(self, key: str, body: bytes | str, **more: Any) -> str:
        """Put an object there; its version."""
        body = body.encode() if isinstance(body, str) else body
        return str(self.s3.put_object(Bucket=BUCKET, Key=key, Body=body, **more)["VersionId"])

    def text(self, key: str) -> str:
        return str(self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode())

    def keys(self, prefix: str = "") -> list[str]:
        found = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
        return [one["Key"] for one in found]

    def tasks(self, service: str = "now-service") -> int:
        (found,) = self.ecs.describe_services(cluster=CLUSTER, services=[service])["services"]
        return int(found["desiredCount"])
