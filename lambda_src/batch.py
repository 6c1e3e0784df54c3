"""The batch lane's function: messages of its queue in, those that failed out.

How a batch travels, file by file: `batch_lane`, `batch_waking`, `batch_assembling`,
`batch_creating`; then, from poll to poll, `batch_polling`, `batch_results`, `batch_fates`.
What else happens to one: `batch_adopting`, `batch_releasing`.
"""

import asyncio
from typing import Any, Protocol

from claude_core.aws import Aws
from claude_core.budget import Budget
from claude_core.client import Claude
from claude_core.connections import AwsHttp
from claude_core.jobs.sending import Sending
from claude_core.jobs.settings import JobSettings, StartSettings
from claude_core.message_batches import MessageBatches
from claude_core.patient import PatientAws
from claude_core.retry import RetryBudget
from claude_core.sdk_options import claude_http
from claude_core.secret import Secret
from claude_core.settings import Runtime, Settings
from claude_core.telemetry import Telemetry
from lambda_src.batch_built import build
from lambda_src.batch_lane import Lane
from lambda_src.batch_time import Time


class Context(Protocol):
    """What Lambda tells of a call."""

    def get_remaining_time_in_millis(self) -> int: ...


class BatchFunction:
    """One process. Built at the first call, on the event loop that outlives it."""

    def __init__(
        self, settings: Settings, jobs: JobSettings, starting: StartSettings, runtime: Runtime
    ) -> None:
        telemetry = Telemetry(settings.service)
        self._aws, trouble = Aws(AwsHttp(), runtime), telemetry.trouble
        aws = PatientAws(self._aws)
        secret = Secret(self._aws, settings.claude_secret)
        self._claude = Claude(
            url=settings.claude_url, secret=secret, http=claude_http(), retries=RetryBudget()
        )
        budget = Budget.build(
            aws,
            table=settings.clients_table,
            history_table=settings.history_table,
            topic=settings.alarm_topic,
            trouble=trouble,
        )
        self._lane: Lane = build(
            aws=aws,
            batches=MessageBatches(self._claude),
            budget=budget,
            sending=Sending.build(aws, jobs, starting, trouble=trouble),
            telemetry=telemetry,
            jobs=jobs,
        )

    async def handle(self, event: dict[str, Any], left_s: float) -> dict[str, Any]:
        """Look after the messages of one event, within the time that is left."""
        records = event["Records"]
        failed = await self._lane.handle([one["body"] for one in records], Time.of(left_s))
        failures = [{"itemIdentifier": records[place]["messageId"]} for place in failed]
        return {"batchItemFailures": failures}

    async def close(self) -> None:
        await self._claude.close()
        await self._aws.close()


_runner = asyncio.Runner()
_function: BatchFunction | None = None


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Lambda's way in: one call at a time, on an event loop that outlives it."""
    return _runner.run(_handle(event, context.get_remaining_time_in_millis() / 1_000))


async def _handle(event: dict[str, Any], left_s: float) -> dict[str, Any]:
    global _function
    if _function is None:
        told = JobSettings.from_env(), StartSettings.from_env(), Runtime.from_env()
        _function = BatchFunction(Settings.from_env(), *told)
    return await _function.handle(event, left_s)
