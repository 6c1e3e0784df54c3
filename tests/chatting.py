"""The chat service on a socket, with one client, and a person who talks to it."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx2
from fastapi import FastAPI
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from claude_core.settings import ChatSettings
from local.fake_claude.inprocess import Fake
from service_src.app import create
from service_src.server import configured
from tests.doubles import CLAUDE_KEY, AwsDouble
from tests.serving import serving

T = TypeVar("T")
PATIENCE_S = 10.0
BUDGET = 10**12
LIMITS = {
    "frame_bytes": "262144",
    "messages_per_minute": "60",
    "sockets_per_client": "100",
    "sockets_per_task": "2000",
    "auth_s": "5",
    "idle_s": "900",
    "lifetime_s": "14400",
    "buffer_bytes": "65536",
    "stall_s": "30",
    "resume_s": "60",
    "drain_s": "110",
    "ws_ping_s": "20",
    "conversation_days": "30",
}


class Person:
    """One websocket, frame by frame."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def send(self, **frame: Any) -> None:
        await self.socket.send(json.dumps(frame))

    async def ask(self, id: str, content: Any = "hello", **more: Any) -> None:
        await self.send(type="message", id=id, content=content, **more)

    async def next(self) -> dict[str, Any]:
        """The next frame, pings aside."""
        while True:
            text = await asyncio.wait_for(self.socket.recv(), PATIENCE_S)
            frame: dict[str, Any] = json.loads(text)
            if frame["type"] != "ping":
                return frame

    async def until(self, *kinds: str) -> list[dict[str, Any]]:
        """All frames up to the first of these kinds, which is the last."""
        frames = [await self.next()]
        while frames[-1]["type"] not in kinds:
            frames.append(await self.next())
        return frames

    async def closed(self) -> int:
        """The code that the socket was closed with."""
        await asyncio.wait_for(self.socket.wait_closed(), PATIENCE_S)
        code = self.socket.close_code
        assert code is not None
        return code


class Chatting:
    """A running service."""

    def __init__(self, aws: AwsDouble, claude: Fake, app: FastAPI, url: str) -> None:
        self.aws, self.claude, self.app, self.url = aws, claude, app, url
        self.key, self.client = aws.add_client(budget=BUDGET, models=("fast", "balanced", "deep"))
        self.http = httpx2.Client(base_url=url, headers={"x-api-key": self.key}, timeout=20)

    def run(self, talk: Coroutine[Any, Any, T]) -> T:
        return asyncio.run(talk)

    @asynccontextmanager
    async def person(
        self,
        protocol: str | None = "claude.v1",
        *,
        conversation: str | None = None,
        key: str | None = None,
        ticket: str | None = None,
        receive_bytes: int | None = None,
    ) -> AsyncIterator[Person]:
        """Somebody who has connected, by key or by ticket; nothing is read yet.

        Args:
            receive_bytes: that the system keeps unread; megabytes, if it is not told.
        """
        offered = [protocol] if protocol else []
        offered += [f"ticket.{ticket}"] if ticket else []
        url = self.url.replace("http", "ws", 1) + "/chat"
        url += f"?conversation={conversation}" if conversation else ""
        headers = {} if ticket else {"x-api-key": self.key if key is None else key}
        sock = socket.socket()
        if receive_bytes:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        sock.connect((urlsplit(url).hostname, urlsplit(url).port))
        async with connect(
            url,
            sock=sock,
            subprotocols=[Subprotocol(one) for one in offered] or None,
            additional_headers=headers,
            max_size=None,
            proxy=None,
        ) as connection:
            yield Person(connection)

    def ticket(self) -> str:
        return str(self.http.post("/v1/tickets").json()["ticket"])

    def spent(self) -> int:
        row = self.aws.row(self.client)
        return sum(int(value) for name, value in row.items() if name.startswith("spent_"))

    def open(self) -> int:
        return len(self.aws.row(self.client)["open"])

    def turns(self) -> list[dict[str, Any]]:
        """What is kept of conversations, in order."""
        items = self.aws.boto("dynamodb").scan(TableName="conversations")["Items"]
        said = [one for one in items if "said" in one]
        said.sort(key=lambda one: str(one["turn"]["S"]))
        return [json.loads(one["said"]["S"]) for one in said]


@contextmanager
def chatting(
    aws: AwsDouble,
    claude: Fake,
    secret: str | None = CLAUDE_KEY,
    aws_url: str | None = None,
    **limits: str,
) -> Iterator[Chatting]:
    """The service with the stack's own limits, but for those given."""
    runtime = replace(aws.runtime, endpoint_url=aws_url) if aws_url else aws.runtime
    timeouts = {
        name: limits.pop(name, value)
        for name, value in (
            ("answer_timeout_s", "10"),
            ("stream_timeout_s", "20"),
            ("ping_s", "15"),
        )
    }
    settings = replace(aws.settings(claude.url, secret), **timeouts)
    chat = ChatSettings(conversations_table=aws.conversations_table(), **(LIMITS | limits))
    app = create(settings, runtime, chat)
    with serving(app, configured(app, chat, host="127.0.0.1", port=0)) as url:
        served = Chatting(aws, claude, app, url)
        with served.http:
            yield served
