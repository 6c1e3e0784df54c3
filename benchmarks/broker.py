"""Redis for the baselines: one of our own on a free port, gone at the end."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import redis

from benchmarks import cores
from local.paths import clean_env
from local.processes import Guarded, free_port, tail

READY_S = 20.0
MISSING = "redis-server is missing, which the queue's baselines need: apt-get install redis-server"


@contextmanager
def broker() -> Iterator[str]:
    """Its URL, without a database.

    It writes nothing to disk: fewer milliseconds for those measured against us than a queue that
    would survive its machine, as SQS does.

    Raises:
        SystemExit: there is no `redis-server`, or it did not come up.
    """
    program = shutil.which("redis-server")
    if program is None:
        raise SystemExit(MISSING)
    port = free_port()
    options = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no"]
    with Guarded("bench-redis", [program, *options], clean_env()) as started:
        cores.beside(started.pid)
        _wait(port, started)
        yield f"redis://127.0.0.1:{port}"


def _wait(port: int, started: Guarded) -> None:
    end = time.monotonic() + READY_S
    with redis.Redis(port=port) as client:
        while time.monotonic() < end and started.ended is None:
            with suppress(redis.ConnectionError):
                client.ping()
                return
            time.sleep(0.05)
    raise SystemExit(f"redis-server did not come up:\n{tail(started.log)}")
