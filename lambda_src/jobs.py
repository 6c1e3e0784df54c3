"""The queue pattern's routes: jobs come in, are kept and sent, shown, listed and cancelled.

Claude is never asked here. A job is accepted when its row and its message are both durable.
"""

import asyncio
from contextlib import suppress
from functools import partial
from typing import Any

from claude_core.admitted import Admitted
from claude_core.aws import Aws
from claude_core.budget import Budget
from claude_core.clients import ClientKey
from claude_core.connections import AwsHttp
from claude_core.errors import AwsUnreachable, InvalidRequest, KitError
from claude_core.http_routes import Backend, http_route
from claude_core.jobs.files import Files
from claude_core.jobs.intake import check_idempotency_key, new_job
from claude_core.jobs.job import Job
from claude_core.jobs.listing import MOST, USUAL, Listing
from claude_core.jobs.schemas import job_schemas
from claude_core.jobs.sending import Sending, unsent
from claude_core.jobs.settings import JobSettings, StartSettings
from claude_core.jobs.store import Jobs
from claude_core.jobs.uploads import Uploads
from claude_core.openapi import document
from claude_core.settings import Runtime, Settings
from claude_core.telemetry import Telemetry
from claude_core.wire import from_bytes
from lambda_src.frame import Routes, respond
from lambda_src.gateway import Answered, Call

UNREAD = "an upload that is read when its owner is known"
"""Stands for its content until then: model and fields are checked without it."""
FILTERS = http_route("GET /v1/jobs").query


class JobsApi:
    """One process's routes. Built at the first request: nothing it opens survives a snapshot."""

    def __init__(
        self, settings: Settings, jobs: JobSettings, starting: StartSettings, runtime: Runtime
    ) -> None:
        self._within_s = float(settings.request_timeout_s)
        self._buckets = frozenset(name for name in jobs.result_buckets.split(",") if name)
        self._telemetry = Telemetry(settings.service)
        aws, trouble = Aws(AwsHttp(), runtime), self._telemetry.trouble
        self._close = aws.close
        files = Files(aws, jobs.files_bucket)
        self._budget = Budget.build(
            aws,
            table=settings.clients_table,
            history_table=settings.history_table,
            topic=settings.alarm_topic,
            trouble=trouble,
        )
        self._jobs = Jobs(aws, table=jobs.jobs_table, files=files)
        self._listing, self._uploads = Listing(aws, jobs.jobs_table), Uploads(files)
        self._sending = Sending.build(aws, jobs, starting, trouble=trouble)

    async def handle(self, event: dict[str, Any]) -> dict[str, Any]:
        """Answer one API Gateway event."""
        return await respond(self, ROUTES, event, self._telemetry, within_s=self._within_s)

    async def submit(self, call: Call) -> Answered:
        key = ClientKey.from_headers(call.headers)
        idempotency_key = check_idempotency_key(call.headers.get("idempotency-key"))
        body = from_bytes(call.body)
        uploaded = "upload" in body
        asked = partial(new_job, key.id, body, headers=call.headers, buckets=self._buckets)
        new = asked(content=UNREAD) if uploaded else asked()
        admitted = await self._budget.prove(key, new.request.model, new.request.needs)
        if uploaded:
            new = asked(content=await self._uploads.read(key.id, body["upload"]))
        kept = await self._jobs.keep(new, idempotency_key)
        if unsent(kept.job):
            await self._send(kept.job, again=idempotency_key is not None)
        if not kept.before:
            self._telemetry.count(jobs_accepted=1)
        told = {"job_id": kept.job.id, "status": kept.job.status.value}
        answered = Answered.of(told, admitted.limits, status=202)
        if kept.before:
            answered.headers["idempotent-replayed"] = "true"
        return answered

    async def show(self, call: Call) -> Answered:
        admitted = await self._prove(call)
        job = await self._jobs.get(admitted.row.id, call.path["id"])
        return Answered.of(job.to_json(await self._jobs.result(job)), admitted.limits)

    async def list(self, call: Call) -> Answered:
        asked, limit = call.query, call.query.get("limit", str(USUAL))
        for name in sorted(asked.keys() - set(FILTERS)):
            raise InvalidRequest(f"{name[:100]}: no such parameter; known: {', '.join(FILTERS)}")
        if not limit.isdecimal() or len(limit) > 3:
            raise InvalidRequest(f"limit: must be 1 to {MOST}")
        admitted = await self._prove(call)
        page = await self._listing.page(
            admitted.row.id,
            status=asked.get("status"),
            limit=int(limit),
            after=asked.get("after"),
        )
        data = [job.to_json() for job in page.jobs]
        told = {"data": data, "has_more": page.next is not None, "next": page.next}
        return Answered.of(told, admitted.limits)

    async def cancel(self, call: Call) -> Answered:
        admitted = await self._prove(call)
        job = await self._jobs.cancel(admitted.row.id, call.path["id"])
        return Answered.of(job.to_json(), admitted.limits)

    async def upload(self, call: Call) -> Answered:
        key, body = ClientKey.from_headers(call.headers), from_bytes(call.body)
        Uploads.check(body)
        admitted = await self._budget.prove(key)
        offered = await self._uploads.offer(key.id, body)
        return Answered.of(offered, admitted.limits, status=201)

    async def health(self, call: Call) -> Answered:
        return Answered.of({"status": "ok"})

    async def openapi(self, call: Call) -> Answered:
        return Answered(document(Backend.JOBS, more=job_schemas))

    async def close(self) -> None:
        await self._close()

    async def _prove(self, call: Call) -> Admitted:
        return await self._budget.prove(ClientKey.from_headers(call.headers))

    async def _send(self, job: Job, *, again: bool) -> None:
        """Send a job that is kept.

        Args:
            again: its caller can ask for just this job once more, if this fails. Else it goes
                again: whoever tries once more makes another one, and both would be paid.
        """
        try:
            await self._sending.send([job])
        except (AwsUnreachable, asyncio.CancelledError):
            if not again:
                with suppress(KitError):
                    await self._jobs.cancel(job.client, job.id)
            raise


ROUTES: Routes[JobsApi] = {
    "POST /v1/jobs": JobsApi.submit,
    "GET /v1/jobs": JobsApi.list,
    "GET /v1/jobs/{id}": JobsApi.show,
    "DELETE /v1/jobs/{id}": JobsApi.cancel,
    "POST /v1/uploads": JobsApi.upload,
    "GET /health": JobsApi.health,
    "GET /openapi.json": JobsApi.openapi,
}

_runner = asyncio.Runner()
_api: JobsApi | None = None


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Lambda's way in: one request at a time, on an event loop that outlives it."""
    return _runner.run(_handle(event))


async def _handle(event: dict[str, Any]) -> dict[str, Any]:
    global _api
    if _api is None:
        told = JobSettings.from_env(), StartSettings.from_env(), Runtime.from_env()
        _api = JobsApi(Settings.from_env(), *told)
    return await _api.handle(event)
