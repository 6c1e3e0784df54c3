"""Who works on a job: claims by lease and fence. A claim that is older writes nothing any more."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from claude_core.jobs.job import Job, Status
from claude_core.jobs.rows import Rows
from claude_core.row import Item

ATTEMPTS = 5
"""Claims that count; the last one's failure is the end."""
FREE_FAILURES = 20
"""Answers of Claude that failed and cost nothing; they count apart from the attempts."""
SKEW_S = 5.0
"""A lease holds so much longer for others, whose clocks may be ahead: a tenth of it at most."""


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

    def __init__(self, rows: Rows, *, holder: str, lease_s: int, now: Callable[[], float]) -> None:
        """
        Args:
            holder: the process's own name: a claim whose answer was lost is known by it.
        """
        self._rows, self._holder, self._lease_s, self._now = rows, holder, lease_s, now

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
        return bool(await self._rows.write(job, "SET lease = :lease", {":lease": self._lease()}))

    async def release(self, job: Job, *, counts: bool, failed: bool = False) -> bool:
        """Let go of a job that is not over; False: the claim was lost before.

        Args:
            counts: whether this was one of its attempts.
            failed: Claude failed, and billed nothing.
        """
        return bool(
            await self._rows.write(
                job,
                "SET #status = :queued, attempts = attempts - :back, "
                "failures = if_not_exists(failures, :zero) + :failed REMOVE lease, holder",
                {
                    ":queued": {"S": Status.QUEUED.value},
                    ":back": {"N": "0" if counts else "1"},
                    ":failed": {"N": str(int(failed))},
                    ":zero": {"N": "0"},
                },
            )
        )

    async def _take_over(self, job: Job) -> Job | Held | Exhausted:
        left_s = float(job.lease) + min(SKEW_S, self._lease_s / 10) - self._now()
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
            ":seen": {"S": seen.value},
            ":running": {"S": Status.RUNNING.value},
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
        return await self._rows.update(id, update, condition, values, {"#status": "status"})

    def _lease(self) -> dict[str, str]:
        return {"N": str(int(self._now()) + self._lease_s)}
