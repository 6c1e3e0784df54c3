"""The jobs of a deployment in memory: its table with both indexes, its bucket, its queues."""

import datetime as dt
import json
import random
from typing import Any, cast

from claude_core.aws import Aws
from claude_core.jobs.files import Files
from claude_core.jobs.intake import NewJob, new_job
from claude_core.jobs.job import Job
from claude_core.jobs.listing import Listing
from claude_core.jobs.store import Jobs
from tests.cloud.cloud import Cloud
from tests.cloud.index import Projection
from tests.cloud.keys import Keys
from tests.queueing import LISTED

CLIENT, OTHER = "client_1", "client-2"
START = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)


class JobsCloud(Cloud):
    """Stands in for `Aws`; its clock moves a microsecond with each look."""

    def __init__(self) -> None:
        self.now = START
        super().__init__(lambda: self.now.timestamp(), random.Random(1))
        self.dynamo.add(
            "jobs",
            Keys("id"),
            by_client=(Keys("client", "listed"), Projection(include=frozenset(LISTED))),
            waiting=(Keys("waiting", "created"), Projection(include=frozenset({"client"}))),
        )
        self.s3.add("files")
        files = Files(self.aws, "files")
        self.jobs = Jobs(self.aws, table="jobs", files=files, now=self.tick)
        self.listing = Listing(self.aws, "jobs")

    @property
    def aws(self) -> Aws:
        return cast(Aws, self)

    async def call(
        self, service: str, target: str, payload: dict[str, Any], *, wait_s: float = 0.0
    ) -> dict[str, Any]:
        return await super().call(service, target, payload)

    def tick(self) -> dt.datetime:
        self.now += dt.timedelta(microseconds=1)
        return self.now

    def row(self, id: str) -> Job:
        asked = {"TableName": "jobs", "Key": {"id": {"S": id}}, "ConsistentRead": True}
        return Job(self.dynamo.do("GetItem", asked)["Item"])

    def change(self, id: str, **values: Any) -> None:
        item = self.row(id).item | values
        self.dynamo.do("PutItem", {"TableName": "jobs", "Item": item})

    def asks(self, id: str) -> Any:
        """What a job asks, wherever that is."""
        job = self.row(id)
        return job.body_json or json.loads(self.s3.get("files", job.body_at))


def job(content: str = "hello", client: str = CLIENT, **more: Any) -> NewJob:
    return new_job(client, {"doc_id": "a", "content": content, **more})
