"""GET /health, for the container's health check: whether the event loop turns, and looks on."""

import asyncio
from collections.abc import Callable

from worker_src.worker import POLL_S

STUCK_S = 6 * POLL_S
"""Without a look at the queue, and without a job in flight."""


async def serve(healthy: Callable[[], bool], port: int) -> asyncio.Server:
    """Answer on loopback, whatever is asked: 200, or 503 where the worker is stuck."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(5.0):
                await reader.readuntil(b"\r\n\r\n")
            status = "200 OK" if healthy() else "503 Service Unavailable"
            writer.write(f"HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n".encode())
            await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    return await asyncio.start_server(answer, "127.0.0.1", port)
