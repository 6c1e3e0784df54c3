"""What stands before a deployed load balancer: `python -m local.balancer FILE`.

The emulator's own carries no websockets. This one reads the head of each request, sends it to a
healthy target, and then only passes bytes on, both ways, as they come: streams and websockets
arrive as they were sent. A connection carries one request, or one websocket.
"""

import asyncio
import itertools
import json
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

HEAD_BYTES = 64 * 1024
"""The longest head of a request that an Application Load Balancer takes."""
HEAD_S, CONNECT_S, ROUND_S = 60.0, 5.0, 0.5
CHUNK = 64 * 1024
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass
class Balancer:
    """One load balancer and its target group."""

    targets: Path
    """A file with the ports of the registered targets; read anew before every round of checks."""
    health_path: str
    idle_s: float
    """Silence in both directions that ends a connection."""
    _healthy: list[int] = field(default_factory=list)
    _turn: "itertools.count[int]" = field(default_factory=itertools.count)

    async def watch(self) -> None:
        """Ask every target for its health, for ever; AWS does so at longer intervals."""
        async with httpx2.AsyncClient(timeout=5) as http:
            while True:
                ports = self._registered()
                answers = await asyncio.gather(*(self._check(http, port) for port in ports))
                good = [port for port, healthy in zip(ports, answers, strict=True) if healthy]
                self._healthy = good or ports  # none is healthy: all are asked, as AWS does
                await asyncio.sleep(ROUND_S)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a caller, to its end."""
        with suppress(ConnectionError, TimeoutError, asyncio.IncompleteReadError):
            try:
                async with asyncio.timeout(HEAD_S):
                    head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.LimitOverrunError:
                await _say(writer, b"400 Bad Request", b"the head of the request is too long")
            else:
                await self._pass_on(head, (reader, writer))
        _cut(writer)

    async def _pass_on(self, head: bytes, caller: Streams) -> None:
        if not self._healthy:
            return await _say(caller[1], b"503 Service Temporarily Unavailable", b"no target")
        for port in self._in_turn():
            try:
                async with asyncio.timeout(CONNECT_S):
                    target = await asyncio.open_connection("127.0.0.1", port)
                break
            except (OSError, TimeoutError):
                continue
        else:
            return await _say(caller[1], b"502 Bad Gateway", b"no target answers")
        try:
            target[1].write(_told(head, caller[1].get_extra_info("peername")[0]))
            if not await _tunnel(caller, target, self.idle_s):
                await _say(caller[1], b"502 Bad Gateway", b"the target went without an answer")
        finally:
            _cut(target[1])

    def _in_turn(self) -> Sequence[int]:
        start = next(self._turn) % len(self._healthy)
        return self._healthy[start:] + self._healthy[:start]

    def _registered(self) -> list[int]:
        with suppress(OSError, ValueError):
            return [int(port) for port in json.loads(self.targets.read_text())]
        return []

    async def _check(self, http: httpx2.AsyncClient, port: int) -> bool:
        with suppress(httpx2.HTTPError):
            answer = await http.get(f"http://127.0.0.1:{port}{self.health_path}")
            return answer.status_code == 200
        return False


def _told(head: bytes, caller: str) -> bytes:
    """The head as the target gets it: who asks, and that one request is all, unless the connection
    becomes a websocket."""
    first, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    names = [line.partition(b":")[0].strip().lower() for line in lines]
    upgrade = b"upgrade" in names
    dropped = {b"x-forwarded-proto", b"x-forwarded-port", *(() if upgrade else (b"connection",))}
    kept = [line for name, line in zip(names, lines, strict=True) if name not in dropped]
    # A list of its own line by line is the same list: RFC 9110, 5.3.
    kept += [f"x-forwarded-for: {caller}".encode(), b"x-forwarded-proto: http"]
    if not upgrade:
        kept.append(b"connection: close")
    return b"\r\n".join([first, *kept, b"", b""])


async def _tunnel(caller: Streams, target: Streams, idle_s: float) -> bool:
    """Bytes both ways until either side ends, or both are silent for too long; whether the target
    has written any."""
    loop = asyncio.get_running_loop()
    last, answered = loop.time(), False

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal last, answered
        while chunk := await reader.read(CHUNK):
            last, answered = loop.time(), answered or reader is target[0]
            writer.write(chunk)
            await writer.drain()

    async def watch() -> None:
        while True:
            left = last + idle_s - loop.time()
            if left <= 0:
                return
            await asyncio.sleep(left)

    tasks = [
        asyncio.create_task(one)
        for one in (pump(caller[0], target[1]), pump(target[0], caller[1]), watch())
    ]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return answered


async def _say(writer: asyncio.StreamWriter, status: bytes, words: bytes) -> None:
    size = str(len(words)).encode()
    head = (b"HTTP/1.1 " + status, b"content-length: " + size, b"connection: close", b"", words)
    writer.write(b"\r\n".join(head))
    await writer.drain()


def _cut(writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        writer.close()


async def run(balancer: Balancer, port: int) -> None:
    server = await asyncio.start_server(balancer.serve, "127.0.0.1", port, limit=HEAD_BYTES)
    async with server:
        await asyncio.gather(server.serve_forever(), balancer.watch())


def main() -> None:
    """Serve what a file describes: port, targets, health_path, idle_s."""
    told = json.loads(Path(sys.argv[1]).read_text())
    balancer = Balancer(Path(told["targets"]), told["health_path"], told["idle_s"])
    with suppress(KeyboardInterrupt):
        asyncio.run(run(balancer, told["port"]))


if __name__ == "__main__":
    main()
