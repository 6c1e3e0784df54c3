"""The baselines of the queue: Celery as most teams write it first, and as an expert tunes it."""

import sys

import redis
from celery import Celery

from benchmarks.beside import slow_claude
from benchmarks.broker import broker
from benchmarks.worker import Figures, measure_worker
from local.paths import clean_env
from tests.doubles import CLAUDE_KEY

CONTENT = "A sentence of the document that is to be summarized. " * 40
"""About 2 KB."""
QUIET = ("--without-gossip", "--without-mingle", "--without-heartbeat")


def naive(jobs: int = 1_000, processes: int = 32) -> Figures:
    """One job a process, with as many processes as a core can serve."""
    return _measure("benchmarks.naive.documents", ("-c", str(processes)), jobs)


def threads(jobs: int = 15_000) -> Figures:
    """One job a thread, with as many threads as a core can serve."""
    return _measure("benchmarks.tuned.documents", ("-P", "threads", "-c", "500", *QUIET), jobs)


def gevent(jobs: int = 12_000) -> Figures:
    """One job a greenlet. Without a limit to what is fetched ahead a full pool makes the consumer
    wait, and one more job is fetched; with a limit it would sleep through what becomes free."""
    options = ("-P", "gevent", "-c", "400", "--prefetch-multiplier", "0", *QUIET)
    return _measure("benchmarks.tuned.documents", options, jobs)


def _measure(app: str, options: tuple[str, ...], jobs: int) -> Figures:
    """Put the jobs into a Redis of their own, and have a worker do them."""
    command = [sys.executable, "-m", "celery", "-A", app, "worker", "-l", "ERROR", *options]
    with broker() as redis_url, slow_claude() as claude_url:
        _send(redis_url, jobs)
        env = {
            "REDIS_URL": redis_url,
            "ANTHROPIC_BASE_URL": claude_url,
            "ANTHROPIC_API_KEY": CLAUDE_KEY,
            "MALLOC_ARENA_MAX": "2",  # 4 MB less of 140 with threads
        }
        with redis.Redis.from_url(f"{redis_url}/1") as results:
            return measure_worker(command, clean_env() | env, results.dbsize, jobs)


def _send(redis_url: str, jobs: int) -> None:
    app = Celery(broker=f"{redis_url}/0")
    with app.connection_for_write() as connection, app.amqp.Producer(connection) as producer:
        for job in range(jobs):
            app.send_task("process_document", (f"doc-{job}", CONTENT), producer=producer)
