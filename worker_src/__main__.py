"""`python -m worker_src`: one worker, until SIGTERM."""

import asyncio
import gc
import signal
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from claude_core.jobs.settings import JobSettings, WorkerSettings
    from claude_core.settings import Runtime, Settings


COLLECTED_EVERY = 50_000
"""New objects between two collections: hundreds of jobs in flight are no garbage, and to look
through them every 700 objects, as Python does, took a fifth of a job's CPU."""


def main() -> None:
    import uvloop

    gc.disable()  # what is imported stays
    from claude_core.jobs.settings import JobSettings, WorkerSettings
    from claude_core.settings import Runtime, Settings

    given = Settings.from_env(), JobSettings.from_env(), WorkerSettings.from_env()
    runtime = Runtime.from_env()
    gc.freeze()
    gc.set_threshold(COLLECTED_EVERY)
    gc.enable()
    uvloop.run(serve(*given, runtime))


async def serve(
    settings: "Settings", jobs: "JobSettings", worker: "WorkerSettings", runtime: "Runtime"
) -> None:
    """Work until SIGTERM, and then until everything is done or back in the queue."""
    from claude_core.aws import Aws
    from claude_core.budget import Budget
    from claude_core.client import Claude
    from claude_core.connections import AwsHttp
    from claude_core.retry import RetryBudget
    from claude_core.sdk_options import claude_http
    from claude_core.secret import Secret
    from claude_core.telemetry import Telemetry
    from worker_src.built import build
    from worker_src.health import STUCK_S, serve
    from worker_src.protection import Protection

    telemetry, http = Telemetry(settings.service), claude_http()
    aws = Aws(AwsHttp(), runtime)
    budget = Budget.build(
        aws,
        table=settings.clients_table,
        history_table=settings.history_table,
        topic=settings.alarm_topic,
        trouble=telemetry.trouble,
    )
    # The queue is the one that tries again: with retries here as well, an outage is made worse.
    claude = Claude(
        url=settings.claude_url,
        secret=Secret(aws, settings.claude_secret),
        http=http,
        retries=RetryBudget(attempts=1),
    )
    built = build(
        aws=aws,
        claude=claude,
        budget=budget,
        telemetry=telemetry,
        jobs=jobs,
        worker=worker,
        protection=Protection(http, runtime.agent_url, now=time.time, trouble=telemetry.trouble),
    )

    def healthy() -> bool:
        return built.slots.jobs > 0 or time.time() - built.worker.turned < STUCK_S

    health = await serve(healthy, runtime.port)
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, built.worker.drain)
    try:
        await built.run()
    finally:
        health.close()
        await claude.close()
        await aws.close()


if __name__ == "__main__":
    main()
