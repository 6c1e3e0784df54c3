"""What becomes of a job, by the line of its batch's results: one table."""

from claude_core.aws import AwsRefused
from claude_core.errors import AwsUnreachable, InvalidRequest
from claude_core.jobs.asking import too_long
from claude_core.jobs.batched import Batched, ended_in, held_by
from claude_core.jobs.endings import Endings
from claude_core.jobs.files import Files
from claude_core.jobs.job import Job, Status
from claude_core.jobs.results import keep_result
from claude_core.jobs.rows import Rows
from claude_core.jobs.sending import Sending
from claude_core.reached import reached
from claude_core.telemetry import Telemetry
from claude_core.wire import to_bytes
from lambda_src.batch_intents import Intent
from lambda_src.batch_result import Result

CANCELED = "its batch was cancelled at Claude"
EXPIRED = "Claude did not get to it within a day, twice; send it again with lane now"
CUT = "Claude's answer was not whole; send it again"
TRIES = 3
"""A job's row may have changed since it was read."""


class Fates:
    """Writes them. Every method raises AwsUnreachable, and may be called again."""

    def __init__(
        self,
        *,
        rows: Rows,
        batched: Batched,
        endings: Endings,
        files: Files,
        sending: Sending,
        telemetry: Telemetry,
    ) -> None:
        self._rows, self._batched, self._endings = rows, batched, endings
        self._files, self._sending, self._telemetry = files, sending, telemetry

    async def meet(self, intent: Intent, job: Job, result: Result, cost: int) -> Job | None:
        """Do with a job that a batch holds what its result says; the job, if it is over then."""
        for _ in range(TRIES):
            after = await self._write(intent, job, result, cost)
            if after is not None and not held_by(after, intent.id):
                return after.light if ended_in(after, intent.id) else None
            # Its row is not as the index shows it.
            found = await self.read(job.id)
            if found is None or not held_by(found, intent.id):
                return found.light if found and ended_in(found, intent.id) else None
            job = found
        raise AwsUnreachable("a job's row changes while it is written")

    async def _write(self, intent: Intent, job: Job, result: Result, cost: int) -> Job | None:
        """The row after it; None where nothing was written."""
        match result.kind:
            case "succeeded" if not result.stop_reason:
                return await self._fail(job, "api_error", CUT)
            case "succeeded":
                return await self._done(job, result, cost)
            case "canceled":
                return await self._fail(job, "api_error", CANCELED, Status.CANCELLED)
            case "expired":
                return await self.expired(intent, job)
            case _ if result.error.get("type") == "invalid_request_error":
                return await self._fail(
                    job, "invalid_request_error", str(result.error.get("message"))
                )
        return await self._onward(intent, job)

    async def expired(self, intent: Intent, job: Job, *, listed: bool = False) -> Job | None:
        """Back to the line, once; the second time it fails.

        Args:
            listed: it stays listed until it is told of: no line of the results will say so again.
        """
        after = await self._batched.expired(job, intent.id, model=intent.model)
        if after and held_by(after, intent.id):
            return await self._endings.failed(
                after, type="timeout_error", message=EXPIRED, listed=listed
            )
        return after

    async def _done(self, job: Job, result: Result, cost: int) -> Job | None:
        try:
            text = to_bytes(result.message)
        except InvalidRequest:
            return await self._fail(job, "api_error", CUT)
        return await self._endings.done(
            job,
            result=text.decode(),
            usage=result.message.get("usage") or {},
            cost=cost,
            stop_reason=result.stop_reason,
            at=await self._keep(job, result, len(text)),
        )

    async def _keep(self, job: Job, result: Result, size: int) -> str | None:
        """Where the result is, if it is too large for its row."""
        try:
            return await keep_result(self._files, job, result.message, size=size)
        except AwsRefused as err:
            if job.result_bucket is None:
                raise AwsUnreachable(f"the bucket refused: {err}") from err
            # Its answer is paid for, and a hundred others are in the same batch.
            self._telemetry.trouble(f"{job.result_bucket} takes no results: {err.code}")
        plain = {name: value for name, value in job.item.items() if name != "result_bucket"}
        with reached("the bucket"):
            return await keep_result(self._files, Job(plain), result.message, size=size)

    async def _fail(
        self, job: Job, type: str, message: str, status: Status = Status.FAILED
    ) -> Job | None:
        return await self._endings.failed(job, type=type, message=message, status=status)

    async def _onward(self, intent: Intent, job: Job) -> Job | None:
        """Once more, by the workers. The message first: without one nobody would know; a worker
        that comes before the row finds it held, and comes again."""
        whole = await self.read(job.id)
        if whole is None or not held_by(whole, intent.id):
            return whole
        long = await self._is_long(whole)
        moved = {**whole.light.item, "lane": {"S": "now"}, "long": {"BOOL": long}}
        await self._sending.send([Job(moved)])
        return await self._batched.onward(whole, intent.id, long=long)

    async def _is_long(self, job: Job) -> bool:
        body = job.body_json
        if body is None:
            try:
                body = await self._files.read_json(job.body_at)
            except AwsRefused:
                return False  # it is gone, which the worker tells its owner
        return too_long(body)

    async def read(self, id: str) -> Job | None:
        item = await self._rows.read(id)
        return Job(item) if item else None
