"""The jobs table, as its owners see it: a job is kept once, shown, listed and cancelled."""

import datetime as dt
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from claude_core.aws import FAILED, Aws, AwsRefused
from claude_core.errors import AwsUnreachable, Conflict, NotFound
from claude_core.jobs.files import Files, body_key
from claude_core.jobs.intake import NewJob
from claude_core.jobs.job import JOB_ID, ROW_BYTES, VERSION, Job, Status, new_job_id, owner_of
from claude_core.reached import reached
from claude_core.row import Item
from claude_core.wire import Json, to_bytes

DYNAMO = "DynamoDB_20120810"
KEPT = dt.timedelta(days=30)
"""A job that never ends is forgotten, too: it was never sent, and its caller was told so."""
NO_JOB = "no such job"


@dataclass(frozen=True, slots=True)
class Kept:
    """A job that is in the table, and whether it was there before."""

    job: Job
    before: bool


class Jobs:
    """Reads and writes jobs for their owners. Every method raises AwsUnreachable."""

    def __init__(
        self,
        aws: Aws,
        *,
        table: str,
        files: Files,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        self._aws, self._table, self._files, self._now = aws, table, files, now

    async def keep(self, new: NewJob, idempotency_key: str | None = None) -> Kept:
        """Keep a job, unless the same key has kept it before.

        Raises:
            Conflict: the key has kept another one.
        """
        item = await self._item(new, new_job_id(new.client, idempotency_key))
        try:
            await self._call(
                "PutItem",
                Item=item,
                ConditionExpression="attribute_not_exists(id)",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except AwsRefused as err:
            if err.code != FAILED:
                raise AwsUnreachable(f"the jobs table refused: {err}") from err
            before = Job(err.body["Item"])
            if before.sha256 != item["sha256"]["S"]:
                raise Conflict(
                    f"Idempotency-Key: used before, for another job ({before.id})"
                ) from err
            return Kept(before, before=True)
        return Kept(Job(item), before=False)

    async def get(self, client: str, id: str) -> Job:
        """One job of a client.

        Raises:
            NotFound: there is none, or it is another's.
        """
        if owner_of(id) != client or not JOB_ID.fullmatch(id):
            raise NotFound(NO_JOB)
        with reached("the jobs table"):
            found = await self._call("GetItem", Key={"id": {"S": id}}, ConsistentRead=True)
        if not found.get("Item"):
            raise NotFound(NO_JOB)
        return Job(found["Item"])

    async def result(self, job: Job) -> Json | None:
        """A job's result, wherever it is."""
        if job.result_at is not None:
            with reached("the bucket"):
                return await self._files.read_json(job.result_at)
        return job.to_result()

    async def cancel(self, client: str, id: str) -> Job:
        """Cancel a job that has not begun; twice is the same as once.

        Raises:
            NotFound; Conflict: it runs, is part of a batch, or is over.
        """
        job = await self.get(client, id)
        finished = self._now().isoformat(timespec="seconds").replace("+00:00", "Z")
        try:
            answer = await self._call(
                "UpdateItem",
                Key={"id": {"S": id}},
                UpdateExpression="SET #status = :cancelled, listed = :listed, finished = :finished "
                "REMOVE waiting, body",
                ConditionExpression="#status = :queued",
                ExpressionAttributeNames={"#status": "status"},
                ExpressionAttributeValues={
                    ":cancelled": {"S": Status.CANCELLED.value},
                    ":queued": {"S": Status.QUEUED.value},
                    ":listed": {"S": f"{Status.CANCELLED.shelf}#{job.place}"},
                    ":finished": {"S": finished},
                },
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except AwsRefused as err:
            if err.code != FAILED:
                raise AwsUnreachable(f"the jobs table refused: {err}") from err
            now = Job(err.body.get("Item") or job.item)
            if now.status is Status.CANCELLED:
                return now
            raise Conflict(
                f"only a job that is queued can be cancelled: this one is {now.status}"
            ) from err
        return Job(answer["Attributes"])

    async def _item(self, new: NewJob, id: str) -> Item:
        body, now = to_bytes(new.body), self._now()
        created = now.isoformat(timespec="microseconds").replace("+00:00", "Z")
        item: Item = {
            "id": {"S": id},
            "v": {"N": str(VERSION)},
            "client": {"S": new.client},
            "created": {"S": created},
            "lane": {"S": new.lane},
            "model": {"S": new.request.model.id},
            "sha256": {"S": hashlib.sha256(to_bytes(asked_of(new))).hexdigest()},
            "bytes": {"N": str(len(body))},
            "status": {"S": Status.QUEUED.value},
            "listed": {"S": f"{Status.QUEUED.shelf}#{created}#{id[-6:]}"},
            "expires_at": {"N": str(int((now + KEPT).timestamp()))},
            **{name: {"N": "0"} for name in ("fence", "attempts", "crashes")},
        }
        if new.long:
            item["long"] = {"BOOL": True}
        if new.doc_id is not None:
            item["doc_id"] = {"S": new.doc_id}
        if new.result_bucket is not None:
            item["result_bucket"] = {"S": new.result_bucket}
        if new.lane == "batch":
            item["waiting"] = {"S": new.request.model.id}
        if len(body) > ROW_BYTES:
            item["body_at"] = {"S": body_key(new.client, id, item["sha256"]["S"])}
            with reached("the bucket"):
                await self._files.write_json(item["body_at"]["S"], new.body)
        else:
            item["body"] = {"S": body.decode()}
        return item

    async def _call(self, action: str, **asked: Any) -> dict[str, Any]:
        payload = {"TableName": self._table, **asked}
        return await self._aws.call("dynamodb", f"{DYNAMO}.{action}", payload)


def asked_of(new: NewJob) -> Json:
    """All that makes two jobs of one Idempotency-Key the same."""
    return {**new.body, "lane": new.lane, "long": new.long, "result_bucket": new.result_bucket}
