"""The chat under those who leave, who never ask, and who ask slowly; with real processes."""

import asyncio
import json
import socket
import time
from pathlib import Path
from statistics import quantiles

import pytest

from local.fake_claude.inprocess import Fake
from tests.doubles import AwsDouble
from tests.handlers.test_drain import Process, opened, running, within

pytestmark = pytest.mark.live
LEAVING, HALF_OPEN, ROUNDS = 100, 1_000, 40


@pytest.mark.parametrize("after", [None, 3])
def test_a_hundred_who_leave_are_a_hundred_answers_that_end_at_claude_within_a_second(
    aws: AwsDouble, claude: Fake, after: int | None
) -> None:
    claude.plan([{"name": "hold", "after": after}], repeat=True)
    with running(aws, claude, clients=10) as service:

        async def talk() -> float:
            gate, sockets = asyncio.Semaphore(10), []

            async def begin() -> None:
                async with gate:
                    one = await opened(service)
                    sockets.append(one)
                    await one.recv()
                    await one.send(json.dumps({"type": "message", "id": "m", "content": "x"}))
                    if after:
                        await one.recv()

            await asyncio.gather(*[begin() for _ in range(LEAVING)])
            await asyncio.to_thread(claude.wait, held=LEAVING, timeout_s=30)
            began = time.monotonic()
            for one in sockets:
                one.transport.abort()
            await asyncio.to_thread(claude.wait, left=LEAVING, timeout_s=5)
            return time.monotonic() - began

        assert asyncio.run(within(talk())) < 1


def resident_mb(pid: int) -> float:
    """What a process has in memory."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1_024 for line in lines if line.startswith("VmRSS"))


async def p95_to_first_token(service: Process) -> float:
    """Of an honest client that asks again and again, in seconds."""
    took = []
    async with opened(service) as one:
        await one.recv()
        for at in range(ROUNDS):
            began = time.monotonic()
            await one.send(json.dumps({"type": "message", "id": f"m{at}", "content": "x"}))
            await one.recv()
            took.append(time.monotonic() - began)
            while json.loads(await one.recv())["type"] != "done":
                pass
    return quantiles(took, n=20)[-1]


HALF = (
    b"",
    b"GET /chat HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n",
    b"POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n\r\n{",
)


def test_a_thousand_who_never_ask_cost_little_memory_and_no_honest_client_its_time(
    aws: AwsDouble, claude: Fake
) -> None:
    with running(aws, claude, messages_per_minute="1000") as service:
        alone = asyncio.run(within(p95_to_first_token(service)))
        before, crowd = resident_mb(service.process.pid), []
        host, port = service.url.removeprefix("http://").split(":")
        try:
            for at in range(HALF_OPEN):
                crowd.append(socket.create_connection((host, int(port))))
                crowd[-1].sendall(HALF[at % len(HALF)])
            among = asyncio.run(within(p95_to_first_token(service)))
            grown = resident_mb(service.process.pid) - before
            # Nobody who has not asked in time is kept.
            silent = [one for at, one in enumerate(crowd) if at % len(HALF) < 2]
            for one in silent[:20]:
                one.settimeout(10)
                assert one.recv(1) == b""
        finally:
            for one in crowd:
                one.close()
    assert grown < 50
    assert among < 2 * alone + 0.02
