"""The service's end: uvicorn cuts every websocket at SIGTERM, this lets them finish.

A drain begins with SIGTERM, or when the task's metadata says that ECS wants it stopped, which it
does earlier. The port stays open meanwhile: the load balancer asks /ready, and hears of it.
"""

import asyncio
import signal
from contextlib import suppress
from types import FrameType

import httpx2
import uvicorn
from fastapi import FastAPI

from claude_core.settings import ChatSettings
from service_src.live import Live
from service_src.protocol import Socket, limited

ASKED_EVERY_S = 5.0
KEEP_ALIVE_S = 310
"""Above the load balancer's idle timeout, or it answers 502."""


def configured(app: FastAPI, chat: ChatSettings, *, host: str, port: int) -> uvicorn.Config:
    """How the service listens."""
    ping_s = float(chat.ws_ping_s)
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http=limited(asked_within_s=float(chat.auth_s), buffer_bytes=int(chat.buffer_bytes)),
        ws=Socket,
        # A frame that is somewhat too long is answered with an error; a longer one is not read.
        ws_max_size=2 * int(chat.frame_bytes),
        ws_ping_interval=ping_s,
        ws_ping_timeout=ping_s,
        ws_per_message_deflate=False,
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
    )


class Server(uvicorn.Server):
    """uvicorn with a drain; ends with exit code 0."""

    def __init__(self, config: uvicorn.Config, live: Live, metadata_url: str | None = None) -> None:
        super().__init__(config)
        self._live, self._metadata_url = live, metadata_url
        self._ending = asyncio.Event()

    async def startup(self, sockets: "list[object] | None" = None) -> None:  # type: ignore[override]
        await super().startup()
        self._tasks = [asyncio.create_task(self._drain())]
        if self._metadata_url:
            self._tasks.append(asyncio.create_task(self._watch(f"{self._metadata_url}/task")))

    async def shutdown(self, sockets: "list[object] | None" = None) -> None:  # type: ignore[override]
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await super().shutdown()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first SIGTERM drains; Ctrl-C, or a second one, ends at once."""
        loop = asyncio.get_running_loop()
        if sig == signal.SIGTERM and not self._ending.is_set():
            loop.call_soon_threadsafe(self._ending.set)
        else:
            self.should_exit = True

    async def _drain(self) -> None:
        await self._ending.wait()
        await self._live.drain()
        self.should_exit = True

    async def _watch(self, url: str) -> None:
        async with httpx2.AsyncClient(timeout=2.0) as http:
            while not self._ending.is_set():
                with suppress(httpx2.HTTPError, ValueError, KeyError):
                    if (await http.get(url)).json()["DesiredStatus"] == "STOPPED":
                        self._ending.set()
                await asyncio.sleep(ASKED_EVERY_S)
