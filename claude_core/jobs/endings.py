"""How a job ends, for whoever has its claim: done, or failed with words for its owner."""

import datetime as dt
import json
from collections.abc import Callable

from claude_core.jobs.job import Job, Status
from claude_core.jobs.rows import Rows
from claude_core.row import Item
from claude_core.wire import Json


class Endings:
    """Writes the last word on jobs. Every method raises AwsUnreachable."""

    def __init__(self, rows: Rows, *, keep_days: int, now: Callable[[], float]) -> None:
        self._rows, self._now, self._keep_s = rows, now, keep_days * 86_400

    async def done(
        self, job: Job, *, result: str, usage: Json, cost: int, stop_reason: str, at: str | None
    ) -> Job | None:
        """Keep an answer; the job as it is then, or None: another claim has replaced this one.

        Args:
            result: Claude's message as it came, JSON.
            at: where the result is, if it is too large for the row.
        """
        kept = "result_at" if at else "#result"
        text = at or result
        values: Item = {
            ":result": {"S": text},
            ":usage": {"S": json.dumps(usage)},
            ":cost": {"N": str(cost)},
            ":stop_reason": {"S": stop_reason},
        }
        sets = f"{kept} = :result, #usage = :usage, cost = :cost, stop_reason = :stop_reason"
        return await self._end(job, Status.DONE, sets, values)

    async def failed(
        self,
        job: Job,
        *,
        type: str,
        message: str,
        status: Status = Status.FAILED,
        listed: bool = False,
    ) -> Job | None:
        """Give up on a job, with words for its owner; as `done`. Works on one that is not claimed,
        too, as long as nobody has claimed it since.

        Args:
            listed: it stays in the index `waiting`, where its batch lists it, until it is told of.
        """
        error = json.dumps({"type": type, "message": message}, ensure_ascii=False)
        return await self._end(job, status, "#error = :error", {":error": {"S": error}}, listed)

    async def _end(
        self, job: Job, status: Status, sets: str, values: Item, listed: bool = False
    ) -> Job | None:
        now = self._now()
        finished = dt.datetime.fromtimestamp(now, dt.UTC).isoformat(timespec="seconds")
        values |= {
            ":status": {"S": status.value},
            ":listed": {"S": f"{status.shelf}#{job.place}"},
            ":finished": {"S": finished.replace("+00:00", "Z")},
            ":expires": {"N": str(int(now) + self._keep_s)},
            ":queued": {"S": Status.QUEUED.value},
            ":batched": {"S": Status.BATCHED.value},
        }
        gone = "lease, holder" if listed else "lease, holder, waiting"
        item = await self._rows.write(
            job,
            f"SET #status = :status, listed = :listed, finished = :finished, "
            f"expires_at = :expires, {sets} REMOVE {gone}",
            values,
            condition="#status IN (:running, :queued, :batched) AND fence = :fence",
            ends=status,
        )
        return Job(item) if item else None
