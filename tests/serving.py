"""An ASGI application behind a real socket, as uvicorn serves it in production."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

STARTED_S = 10.0


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = threading.Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self._loop, self._ending = asyncio.get_running_loop(), asyncio.Event()
        self.up.set()

    async def main_loop(self) -> None:
        """uvicorn looks ten times a second whether it has to end: too late for a thousand tests."""
        await self.on_tick(0)
        await self._ending.wait()

    async def shutdown(self, sockets: Any = None) -> None:
        """uvicorn's, which waits in steps of a tenth of a second, in steps of a thousandth."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        # uvicorn has no event for it.
        while self.server_state.connections or self.server_state.tasks:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        for server in self.servers:
            await server.wait_closed()
        await self.lifespan.shutdown()

    def end(self) -> None:
        self.should_exit = True
        if self.up.is_set():
            self._loop.call_soon_threadsafe(self._ending.set)


@contextmanager
def serving(app: Any, config: uvicorn.Config | None = None) -> Iterator[str]:
    """The URL of `app` on a free loopback port; stopped when the block ends, whatever happens."""
    plain = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", access_log=False)
    server = _Server(config or plain)
    thread = threading.Thread(target=server.run, name="serving", daemon=True)
    thread.start()
    try:
        assert server.up.wait(STARTED_S), "the server did not start"
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.end()
        thread.join()
