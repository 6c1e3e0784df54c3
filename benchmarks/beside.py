"""What stands beside a service that is measured: AWS and Claude in processes of their own."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx2

from benchmarks import cores
from claude_core.settings import Settings
from local.paths import clean_env
from local.processes import Guarded, free_port


@contextmanager
def helper(*arguments: str) -> Iterator[None]:
    """A process of ours beside the service."""
    process = subprocess.Popen([sys.executable, "-m", *arguments], stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def slow_claude() -> Iterator[str]:
    """The URL of a Claude that takes a second, in a process of its own."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.slow_claude", str(port)]
    with Guarded("bench-claude", command, clean_env()) as started:
        cores.beside(started.pid)
        started.wait_for(f"http://127.0.0.1:{port}/")
        yield f"http://127.0.0.1:{port}"


def answers(url: str) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with suppress(httpx2.HTTPError):
            httpx2.get(url, timeout=2)
            return
    raise RuntimeError(f"{url} does not answer")


def kit_env(claude_url: str, aws_url: str) -> dict[str, str]:
    """The environment of a function or a service of the kit."""
    settings = Settings(
        service="bench",
        clients_table="clients",
        history_table="history",
        alarm_topic="topic",
        claude_secret="secret",  # pragma: allowlist secret
        claude_url=claude_url,
        answer_timeout_s="280",
        request_timeout_s="280",
        stream_timeout_s="890",
        ping_s="15",
    )
    return settings.to_env() | {
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": aws_url,
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",  # pragma: allowlist secret
    }
