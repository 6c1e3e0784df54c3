"""Who works on a job: claims by lease and fence. A claim that is older writes nothing any more."""

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from claude_core.aws import FAILED, Aws, AwsRefused
from claude_core.errors import AwsUnreachable
from claude_core.jobs.job import Job, Status
from claude_core.row import Item
from claude_core.wire import Json

ATTEMPTS = 5
"""Claims that count; the last one's failure is the end."""
FREE_FAILURES = 20
"""Answers of Claude that failed and cost nothing; they count apart from the attempts."""
SKEW_S = 5.0
"""A lease holds so much longer for others: their clocks may be ahead."""
HELD = "#status = :running AND fence = :fence"


@dataclass(frozen=True, slots=True)
class Held:
    """Somebody else works on it, or seems to."""

    left_s: float


@dataclass(frozen=True, slots=True)
class Over:
    """There is nothing left to do, but to tell of it."""

    job: Job


@dataclass(frozen=True, slots=True)
class Exhausted:
    """Every attempt was made, and none has ended well."""

    job: Job


class Claims:
    """Writes the jobs table for one who works on jobs. Every method raises AwsUnreachable."""

    def __init__(
        self,
        aws: Aws,
        *,
        table: str,
        holder: str,
        lease_s: int,
        keep_days: int,
        now: Callable[[], float],
    ) -> None:
        """
        Args:
            holder: the process's own name: a claim whose answer was lost is known by it.
        """
        self._aws, self._table, self._holder, self._now = aws, table, holder, now
        self._lease_s, self._keep_s = lease_s, keep_days * 86_400

    async def claim(self, id: str) -> Job | Held | Over | Exhausted | None:
        """Take a job that this process does not work on; counts an attempt. None: no such job."""
        taken, item = await self._take(id, "#status = :seen AND attempts < :most", Status.QUEUED)
        if taken:
            return Job(item)
        if not item:
            return None
        job = Job(item)
        match job.status:
            case Status.QUEUED:
                return Exhausted(job)
            case Status.BATCHED:
                return Held(self._lease_s)
            case Status.RUNNING:
                return await self._take_over(job)
        return Over(job)

    async def renew(self, job: Job) -> bool:
        """Hold a claim for another lease; False: it is lost."""
        return bool(await self._write(job, "SET lease = :lease", {":lease": self._lease()}))

    async def release(self, job: Job, *, counts: bool, failed: bool = False) -> bool:
        """Let go of a job that is not over; False: the claim was lost before.

        Args:
            counts: whether this was one of its attempts.
            failed: Claude failed, and billed nothing.
        """
        return bool(
            await self._write(
                job,
                "SET #status = :queued, attempts = attempts - :back, "
                "failures = if_not_exists(failures, :zero) + :failed REMOVE lease, holder",
                {
                    ":queued": {"S": Status.QUEUED},
                    ":back": {"N": "0" if counts else "1"},
                    ":failed": {"N": str(int(failed))},
                    ":zero": {"N": "0"},
                },
            )
        )

    async def done(
        self, job: Job, *, result: Json, usage: Json, cost: int, stop_reason: str, at: str | None
    ) -> Job | None:
        """Keep an answer; the job as it is then, or None: another claim has replaced this one.

        Args:
            at: where the result is, if it is too large for the row.
        """
        kept = "result_at" if at else "result"
        text = at or json.dumps(result, ensure_ascii=False)
        values: Item = {
            ":result": {"S": text},
            ":usage": {"S": json.dumps(usage)},
            ":cost": {"N": str(cost)},
            ":stop_reason": {"S": stop_reason},
        }
        sets = f"{kept} = :result, #usage = :usage, cost = :cost, stop_reason = :stop_reason"
        return await self._end(job, Status.DONE, sets, values)

    async def failed(
        self, job: Job, *, type: str, message: str, status: Status = Status.FAILED
    ) -> Job | None:
        """Give up on a job, with words for its owner; as `done`. Works on one that is not claimed,
        too, as long as nobody has claimed it since."""
        error = json.dumps({"type": type, "message": message}, ensure_ascii=False)
        return await self._end(job, status, "#error = :error", {":error": {"S": error}})

    async def _end(self, job: Job, status: Status, sets: str, values: Item) -> Job | None:
        now = self._now()
        finished = dt.datetime.fromtimestamp(now, dt.UTC).isoformat(timespec="seconds")
        values |= {
            ":status": {"S": status},
            ":listed": {"S": f"{status.shelf}#{job.place}"},
            ":finished": {"S": finished.replace("+00:00", "Z")},
            ":expires": {"N": str(int(now) + self._keep_s)},
            ":queued": {"S": Status.QUEUED},
        }
        item = await self._write(
            job,
            f"SET #status = :status, listed = :listed, finished = :finished, "
            f"expires_at = :expires, {sets} REMOVE lease, holder, waiting",
            values,
            condition="(#status = :running OR #status = :queued) AND fence = :fence",
            ends=status,
        )
        return Job(item) if item else None

    async def _take_over(self, job: Job) -> Job | Held | Exhausted:
        left_s = float(job.lease) + SKEW_S - self._now()
        if job.holder == self._holder:
            # Ours: the answer to the claim was lost, and nothing has begun.
            return job if await self.renew(job) else Held(self._lease_s)
        if left_s > 0:
            return Held(left_s)
        if job.attempts >= ATTEMPTS:
            return Exhausted(job)
        seen = "#status = :seen AND fence = :fence AND lease = :old AND attempts < :most"
        more = {":fence": {"N": str(job.fence)}, ":old": {"N": str(job.lease)}}
        taken, item = await self._take(job.id, seen, Status.RUNNING, crashed=True, **more)
        return Job(item) if taken else Held(self._lease_s)

    async def _take(
        self, id: str, condition: str, seen: Status, *, crashed: bool = False, **more: Any
    ) -> tuple[bool, Item]:
        """The write of a claim: whether it was made, and the row after it, or as it stands."""
        values: Item = {
            ":seen": {"S": seen},
            ":running": {"S": Status.RUNNING},
            ":holder": {"S": self._holder},
            ":lease": self._lease(),
            ":one": {"N": "1"},
            ":crash": {"N": str(int(crashed))},
            ":most": {"N": str(ATTEMPTS)},
            **more,
        }
        update = (
            "SET #status = :running, holder = :holder, lease = :lease, fence = fence + :one, "
            "attempts = attempts + :one, crashes = crashes + :crash"
        )
        return await self._update(id, update, condition, values, {"#status": "status"})

    async def _write(
        self,
        job: Job,
        update: str,
        values: Item,
        *,
        condition: str = HELD,
        ends: Status | None = None,
    ) -> Item | None:
        """A write under a claim; the row after it, or None: the claim is lost."""
        names = {"#status": "status"}
        names |= {f"#{name}": name for name in ("usage", "error") if f"#{name}" in update}
        values |= {":running": {"S": Status.RUNNING}, ":fence": {"N": str(job.fence)}}
        written, item = await self._update(job.id, update, condition, values, names)
        if written:
            return item
        # The first attempt arrived, and only its answer was lost.
        ours = ends is not None and item and Job(item).status is ends
        return item if ours and Job(item).fence == job.fence else None

    async def _update(
        self, id: str, update: str, condition: str, values: Item, names: dict[str, str]
    ) -> tuple[bool, Item]:
        try:
            answer = await self._aws.call(
                "dynamodb",
                "DynamoDB_20120810.UpdateItem",
                {
                    "TableName": self._table,
                    "Key": {"id": {"S": id}},
                    "UpdateExpression": update,
                    "ConditionExpression": condition,
                    "ExpressionAttributeNames": names,
                    "ExpressionAttributeValues": values,
                    "ReturnValues": "ALL_NEW",
                    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                },
            )
        except AwsRefused as err:
            if err.code != FAILED:
                raise AwsUnreachable(f"the jobs table refused: {err}") from err
            return False, err.body.get("Item") or {}
        return True, answer["Attributes"]

    def _lease(self) -> dict[str, str]:
        return {"N": str(int(self._now()) + self._lease_s)}
