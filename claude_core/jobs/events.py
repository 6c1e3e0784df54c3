"""Each finished job is told to an EventBridge bus, at least once, for users to chain their work."""

import json
from typing import Any

from claude_core.aws import Aws
from claude_core.errors import AwsUnreachable
from claude_core.jobs.job import Job
from claude_core.models import NANO
from claude_core.wire import Json

SOURCE, DETAIL_TYPE = "claude-kit.jobs", "Job finished"
TOGETHER = 10


def detail(job: Job) -> Json:
    """What is told of a job: where its result is, never what it says."""
    told = {
        "job_id": job.id,
        "client": job.client,
        "status": job.status.value,
        "lane": job.lane,
        "doc_id": job.doc_id,
        "model": job.model,
        "stop_reason": job.stop_reason,
        "cost_usd": None if job.cost is None else job.cost / NANO,
        "error_type": (job.error or {}).get("type"),
        "result_bucket": job.result_bucket,
        "finished_at": job.finished,
    }
    return {name: value for name, value in told.items() if value is not None}


class Bus:
    """One event bus. Raises AwsRefused, AwsUnreachable."""

    def __init__(self, aws: Aws, name: str) -> None:
        self._aws, self._name = aws, name

    async def tell(self, jobs: list[Job]) -> None:
        """Tell of up to ten finished jobs.

        Raises:
            AwsUnreachable: some were not told; told again, those that were are told twice.
        """
        entries: list[dict[str, Any]] = [
            {
                "Source": SOURCE,
                "DetailType": DETAIL_TYPE,
                "Detail": json.dumps(detail(job)),
                "EventBusName": self._name,
            }
            for job in jobs
        ]
        answer = await self._aws.call("events", "AWSEvents.PutEvents", {"Entries": entries})
        if failed := answer.get("FailedEntryCount"):
            raise AwsUnreachable(f"the event bus took all but {failed} of {len(jobs)} events")
