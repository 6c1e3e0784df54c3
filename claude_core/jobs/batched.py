"""Jobs that a batch holds: written under the batch's intent, which no other batch has.

While a batch holds a job, the index `waiting` lists it under `batch#INTENT`, so that the jobs of a
batch can be found whatever has become of who put it together.
"""

from claude_core.jobs.job import Job, Status
from claude_core.jobs.rows import Rows
from claude_core.row import Item

OURS = "#status = :batched AND #batch = :intent"
NAMES = {"#status": "status", "#batch": "batch"}


def place(intent: str) -> str:
    """Where the index lists the jobs of a batch."""
    return f"batch#{intent}"


class Batched:
    """Writes the rows of jobs for a batch. Every method raises AwsUnreachable."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def claim(self, id: str, *, model: str, intent: str) -> Job | None:
        """Take a job that waits; None: it does not wait any more. Counts an attempt."""
        values: Item = {
            **_ours(intent),
            ":queued": {"S": Status.QUEUED.value},
            ":model": {"S": model},
            ":place": {"S": place(intent)},
            ":one": {"N": "1"},
        }
        taken, item = await self._rows.update(
            id,
            "SET #status = :batched, #batch = :intent, waiting = :place, "
            "fence = fence + :one, attempts = attempts + :one",
            "#status = :queued AND waiting = :model",
            values,
            NAMES,
        )
        # Ours without the write: the first attempt arrived, and only its answer was lost.
        return Job(item) if taken or (item and held_by(Job(item), intent)) else None

    async def back(self, job: Job, intent: str, *, model: str) -> Job | None:
        """Let go of a job that was not asked, to wait for another batch; as it stands then."""
        update = "SET #status = :queued, waiting = :model, attempts = attempts - :one REMOVE #batch"
        values = {":queued": {"S": Status.QUEUED.value}, ":model": {"S": model}, ":one": {"N": "1"}}
        return await self._write(job, intent, update, values)

    async def expired(self, job: Job, intent: str, *, model: str) -> Job | None:
        """The same for one that Claude did not get to; held still if it was so before."""
        return await self._write(
            job,
            intent,
            "SET #status = :queued, waiting = :model, expiries = :one REMOVE #batch",
            {":queued": {"S": Status.QUEUED.value}, ":model": {"S": model}, ":one": {"N": "1"}},
            condition=f"{OURS} AND attribute_not_exists(expiries)",
        )

    async def onward(self, job: Job, intent: str, *, long: bool) -> Job | None:
        """Leave a job to the workers; as it stands then."""
        return await self._write(
            job,
            intent,
            "SET #status = :queued, lane = :now, #long = :long REMOVE #batch, waiting",
            {":queued": {"S": Status.QUEUED.value}, ":now": {"S": "now"}, ":long": {"BOOL": long}},
            **{"#long": "long"},
        )

    async def told(self, job: Job, intent: str) -> None:
        """Take a job that is over, and was told of, off the list of its batch."""
        values = {":place": {"S": place(intent)}}
        await self._rows.update(job.id, "REMOVE waiting", "waiting = :place", values, {})

    async def _write(
        self,
        job: Job,
        intent: str,
        update: str,
        values: Item,
        *,
        condition: str = OURS,
        **names: str,
    ) -> Job | None:
        _, item = await self._rows.update(
            job.id, update, condition, {**_ours(intent), **values}, {**NAMES, **names}
        )
        return Job(item) if item else None


def held_by(job: Job, intent: str) -> bool:
    """Whether a row, or what the index says of it, is a job that this batch holds."""
    ours = job.batch == intent or job.waiting == place(intent)
    return job.status is Status.BATCHED and ours


def ended_in(job: Job, intent: str) -> bool:
    """Whether a job was over in this batch."""
    return job.status.over and (job.batch == intent or job.waiting == place(intent))


def _ours(intent: str) -> Item:
    return {":batched": {"S": Status.BATCHED.value}, ":intent": {"S": intent}}
