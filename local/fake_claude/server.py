"""The program around the application: a socket, a thousand connections, a clean end."""

import asyncio
import resource
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from local.fake_claude.app import build
from local.fake_claude.state import State
from local.fake_claude.wire import TRANSPORT

BACKLOG = 2_048
KEEP_ALIVE_S = 75
"""Longer than a client keeps an idle connection, or a reused one now and then breaks."""
LARGEST_HEADERS = 256 * 1024
MANY_FILES = 65_536


class Protocol(H11Protocol):
    """HTTP that lets the application reach its connection, which ASGI has no word for."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.app_state = dict(self.app_state)  # else all connections would share one

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # asyncio forgets this on a socket that was opened for it, and each answer takes 40 ms more.
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.app_state[TRANSPORT] = transport


class Server(uvicorn.Server):
    """One fake Claude on one port, which is open from the moment this exists."""

    def __init__(
        self,
        fake: State,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        on_ready: Callable[["Server"], None] | None = None,
    ) -> None:
        """A server; `on_ready` is called with it once requests are answered."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family, backlog=BACKLOG)
        self.port: int = self._socket.getsockname()[1]
        self._on_ready = on_ready
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{self.port}"
        super().__init__(
            uvicorn.Config(
                build(fake),
                loop="asyncio",
                http=Protocol,
                ws="none",
                lifespan="off",
                interface="asgi3",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                backlog=BACKLOG,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=2,
                h11_max_incomplete_event_size=LARGEST_HEADERS,
            )
        )

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until told to stop."""
        try:
            allow_many_files()
            super().run([self._socket, *(sockets or [])])
        finally:
            self._socket.close()

    def stop(self) -> None:
        """End soon; safe to call from another thread, or from a signal handler."""
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._on_ready is not None:
            self._on_ready(self)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Hang up on everybody first: a held request would otherwise keep the program alive."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await super().shutdown(sockets)


def allow_many_files() -> None:
    """Raise the number of open files to what the system allows; each connection takes one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MANY_FILES if hard == resource.RLIM_INFINITY else hard
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    with suppress(ValueError, OSError):  # macOS has a lower limit that it does not tell
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
