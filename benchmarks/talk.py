"""Many chats at once with a service in a process of its own, and what they took."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import httpx2
from websockets.asyncio.client import ClientConnection, connect

READY_S = 30.0
DONE_S = 120.0
STALLED = float("inf")


@dataclass(slots=True)
class Service:
    """A running chat service."""

    process: "subprocess.Popen[bytes]"
    port: int
    key: str
    one_at_a_time: bool = False
    """Whether a chat holds up all others."""

    @property
    def cpu_s(self) -> float:
        """User and system time so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def resident_kb(self) -> int:
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))

    def open(self) -> connect:
        return connect(
            f"ws://127.0.0.1:{self.port}/chat",
            additional_headers={"x-api-key": self.key},
            proxy=None,
            open_timeout=60,
            ping_interval=None,  # a service that stalls would be cut, and not measured
            max_queue=None,
        )


@contextmanager
def running(arguments: list[str], env: dict[str, str], port: int, key: str) -> Iterator[Service]:
    """A service until the block ends."""
    command = [sys.executable, *arguments]
    started = {**env, "PATH": os.environ["PATH"], "AWS_LWA_PORT": str(port)}
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, env=started, stdout=said, stderr=said)
        try:
            _wait(process, port, said)
            yield Service(process, port, key)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait(10)


def _wait(process: "subprocess.Popen[bytes]", port: int, said: IO[bytes]) -> None:
    end = time.monotonic() + READY_S
    while True:
        with suppress(httpx2.HTTPError):
            httpx2.get(f"http://127.0.0.1:{port}/health", timeout=2)
            return
        if process.poll() is not None or time.monotonic() > end:
            said.seek(0)
            raise RuntimeError(f"the service did not come up: {said.read().decode()[-2_000:]}")


async def first_tokens(service: Service, chats: int, question: str) -> list[float]:
    """Milliseconds to the first token of so many chats that ask at once."""
    sockets = [await service.open() for _ in range(chats)]
    try:
        return list(await asyncio.gather(*[_first(one, question) for one in sockets]))
    finally:
        for one in sockets:
            one.transport.abort()


async def whole(service: Service, chats: int, question: str, tokens: int) -> None:
    """So many chats at once, each read to its end.

    Raises:
        RuntimeError: a token did not arrive.
    """
    sockets = [await service.open() for _ in range(chats)]
    for arrived in await asyncio.gather(*[_all(one, question) for one in sockets]):
        if arrived != tokens:
            raise RuntimeError(f"{arrived} of {tokens} tokens arrived")
    for one in sockets:
        one.transport.abort()


async def _first(socket: ClientConnection, question: str) -> float:
    began = time.perf_counter()
    await socket.send(question)
    try:
        await asyncio.wait_for(socket.recv(), DONE_S)
    except TimeoutError:
        return STALLED
    return (time.perf_counter() - began) * 1_000


async def _all(socket: ClientConnection, question: str) -> int:
    await socket.send(question)
    arrived = 0
    while await socket.recv() != "[DONE]":
        arrived += 1
    return arrived
