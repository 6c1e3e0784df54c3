"""The batch lane's function against moto and the fake Claude: jobs, messages, and what came of
them. Delayed messages are not waited for: a test hands them in."""

import asyncio
import json
from typing import Any

from claude_core.aws import Aws
from claude_core.clients import ClientKey
from claude_core.connections import AwsHttp
from claude_core.jobs.files import Files
from claude_core.jobs.intake import new_job
from claude_core.jobs.job import Job
from claude_core.jobs.settings import JobSettings, StartSettings
from claude_core.jobs.store import Jobs
from claude_core.models import resolve
from lambda_src.batch import BatchFunction
from local.fake_claude.inprocess import Fake
from tests.doubles import AwsDouble

TABLE, BUCKET, COPIES, BUS = "jobs", "files", "copies", "jobs-bus"
BALANCED, FAST = resolve("balanced").id, resolve("fast").id
CALL_S = 300.0
LISTED = ("client", "bytes", "fence", "attempts", "doc_id", "result_bucket", "lane", "model")


class Batching:
    """One process of the function, and all that surrounds it."""

    def __init__(self, aws: AwsDouble, claude: Fake) -> None:
        self.aws, self.claude = aws, claude
        self.settings = aws.settings(claude.url)
        self._make_table()
        for bucket in (BUCKET, COPIES):
            aws.boto("s3").create_bucket(Bucket=bucket)
        aws.boto("events").create_event_bus(Name=BUS)
        names = ("now", "long", "batch")
        urls = {name: self._queue(name) for name in names}
        dead = {name: self._queue(f"{name}-dlq") for name in names}
        self.jobs = JobSettings(
            jobs_table=TABLE,
            files_bucket=BUCKET,
            event_bus=BUS,
            result_buckets=COPIES,
            **{f"{name}_queue": url for name, url in urls.items()},
            **{f"{name}_dlq": url for name, url in dead.items()},
        )
        self._runner = asyncio.Runner()
        self._function: BatchFunction | None = None
        _, self.client = aws.add_client()

    def close(self) -> None:
        if self._function:
            self._runner.run(self._function.close())
        self._runner.close()

    def submit(self, client: ClientKey | None = None, **asked: Any) -> str:
        """A job that waits for a batch; its id. No message is sent."""
        body = {"lane": "batch", "doc_id": "doc", "content": "hello", **asked}
        if "request" in asked:
            del body["content"]
        new = new_job((client or self.client).id, body, buckets=frozenset({COPIES}))

        async def keep() -> str:
            async with AwsHttp() as http:
                real = Aws(http, self.aws.runtime)
                store = Jobs(real, table=TABLE, files=Files(real, BUCKET))
                return (await store.keep(new)).job.id

        return self._runner.run(keep())

    def cancel(self, id: str) -> None:
        async def cancel() -> None:
            async with AwsHttp() as http:
                real = Aws(http, self.aws.runtime)
                await Jobs(real, table=TABLE, files=Files(real, BUCKET)).cancel(self.client.id, id)

        self._runner.run(cancel())

    def call(self, *messages: dict[str, Any], left_s: float = CALL_S) -> list[int]:
        """Hand messages to the function; the places of those that failed."""
        records = [
            {"messageId": f"m{at}", "body": json.dumps(message)}
            for at, message in enumerate(messages)
        ]

        async def handle() -> dict[str, Any]:
            self._function = self._function or BatchFunction(
                self.settings,
                self.jobs,
                StartSettings(cluster="cluster", now_service="now", long_service="long"),
                self.aws.runtime,
            )
            return await self._function.handle({"Records": records}, left_s)

        failures = self._runner.run(handle())["batchItemFailures"]
        return [int(one["itemIdentifier"][1:]) for one in failures]

    def wake(self, model: str = BALANCED) -> None:
        """A wake-up, when whoever has closed the line has opened it again."""
        self.reopen(model)
        assert self.call({"wake": model}) == []

    def reopen(self, model: str = BALANCED) -> None:
        """As a minute later."""
        self.aws.boto("dynamodb").update_item(
            TableName=TABLE,
            Key={"id": {"S": f"lane#{model}"}},
            UpdateExpression="REMOVE lease",
        )

    def poll(self) -> None:
        """Hand in the latest poll message of each batch that was sent for."""
        latest = {one["poll"]: one for one in self.sent("batch") if "poll" in one}
        for message in latest.values():
            assert self.call(message) == []

    def sent(self, queue: str) -> list[dict[str, Any]]:
        """What was sent to a queue, delayed or not."""
        return [
            json.loads(entry["MessageBody"])
            for _, action, payload in self.aws.calls
            if action == "SendMessageBatch" and payload["QueueUrl"].endswith(f"/{queue}")
            for entry in payload["Entries"]
        ]

    def told(self) -> dict[str, str]:
        """The status that the bus was told of, by job."""
        details = [
            json.loads(entry["Detail"])
            for _, action, payload in self.aws.calls
            if action == "PutEvents"
            for entry in payload["Entries"]
        ]
        return {detail["job_id"]: detail["status"] for detail in details}

    def job(self, id: str) -> Job:
        key = {"id": {"S": id}}
        return Job(self.aws.boto("dynamodb").get_item(TableName=TABLE, Key=key)["Item"])

    def error(self, id: str) -> dict[str, Any]:
        """Why a job failed."""
        return dict(self.job(id).error or {})

    def item(self, bucket: str, key: str) -> bytes:
        return bytes(self.aws.boto("s3").get_object(Bucket=bucket, Key=key)["Body"].read())

    def body(self, request_id: str) -> dict[str, Any]:
        """What Claude was sent with a request."""
        return dict(json.loads(self.claude.body(request_id)))

    def made(self) -> list[dict[str, Any]]:
        """The batches that Claude has."""
        return list(self.claude.batches()["batches"])

    def stages(self) -> list[str]:
        return [row["stage"]["S"] for row in self.intents()]

    def money(self, client: ClientKey | None = None) -> tuple[int, dict[str, Any]]:
        """What a client has spent this month, and what is open, in nano-dollars."""
        row = self.aws.row(client or self.client)
        spent = [int(value) for name, value in row.items() if name.startswith("spent_")]
        return sum(spent), row["open"]

    def intents(self) -> list[dict[str, Any]]:
        rows = self.aws.boto("dynamodb").scan(TableName=TABLE)["Items"]
        return [row for row in rows if row["id"]["S"].startswith("intent#")]

    def billed(self) -> dict[str, int]:
        """Answers that Claude has billed, by job."""
        ids = self.claude.batches()["custom_ids"]
        return {id.partition("_")[2]: one["succeeded"] for id, one in ids.items()}

    def _queue(self, name: str) -> str:
        return str(self.aws.boto("sqs").create_queue(QueueName=name)["QueueUrl"])

    def _make_table(self) -> None:
        def keys(*names: str) -> list[dict[str, str]]:
            return [
                {"AttributeName": name, "KeyType": kind}
                for name, kind in zip(names, ("HASH", "RANGE"), strict=False)
            ]

        included = {"ProjectionType": "INCLUDE", "NonKeyAttributes": [*LISTED, "status"]}
        self.aws.boto("dynamodb").create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=keys("id"),
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"}
                for name in ("id", "waiting", "created")
            ],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "waiting",
                    "KeySchema": keys("waiting", "created"),
                    "Projection": included,
                }
            ],
        )
