"""The kit's worker as it is measured: the real process, with claims, budgets and events."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2

from benchmarks import cores
from benchmarks.beside import kit_env, slow_claude
from benchmarks.worker import Figures, measure_worker
from claude_core.jobs.settings import JobSettings, WorkerSettings
from local.paths import clean_env
from local.processes import Guarded, free_port
from tests.cloud.sqs import HOST

SLOTS = 1_000
"""As many as fill a core, as with the others; deployed are 200 on a quarter of one."""


def kit(jobs: int = 12_000) -> Figures:
    """Jobs of one client out of SQS and DynamoDB."""
    with slow_claude() as claude_url, queued(jobs) as aws_url:

        def done() -> int:
            answer = httpx2.post(aws_url, headers={"x-amz-target": "Bench.Done"}, content=b"{}")
            return int(json.loads(answer.content)["done"])

        env = kit_env(claude_url, aws_url) | _settings()
        command = [sys.executable, "-m", "worker_src"]
        return measure_worker(command, clean_env() | env, done, jobs)


@contextmanager
def queued(jobs: int) -> Iterator[str]:
    """The URL of an AWS that holds so many jobs, in a process of its own."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.jobs_aws", str(port), str(jobs)]
    with Guarded("bench-jobs-aws", command, clean_env()) as aws:
        cores.beside(aws.pid)
        aws.wait_for(f"http://127.0.0.1:{port}/")
        yield f"http://127.0.0.1:{port}/"


def _settings() -> dict[str, str]:
    now, dead = f"{HOST}now", f"{HOST}dlq"
    jobs = JobSettings(
        jobs_table="jobs",
        files_bucket="files",
        now_queue=now,
        now_dlq=dead,
        long_queue=now,
        long_dlq=dead,
        batch_queue=now,
        batch_dlq=dead,
        event_bus="bus",
    )
    worker = WorkerSettings(
        takes="now",
        slots=str(SLOTS),
        bytes_in_flight="64000000",
        visibility_s="120",
        heartbeat_s="40",
        job_timeout_s="900",
        drain_s="110",
    )
    return {**jobs.to_env(), **worker.to_env(), "AWS_LWA_PORT": str(free_port())}
