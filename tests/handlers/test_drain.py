"""SIGTERM, with a real process: what is being written is ended, or told that it ends."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from typing import Any, TypeVar

import httpx2
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from claude_core.settings import ChatSettings
from local.fake_claude.inprocess import Fake
from local.processes import free_port
from tests.chatting import BUDGET, LIMITS
from tests.doubles import AwsDouble

T = TypeVar("T")


class Process:
    """`python -m service_src`, as its task runs it."""

    def __init__(
        self,
        aws: AwsDouble,
        claude: Fake,
        metadata: str | None = None,
        clients: int = 1,
        **limits: str,
    ) -> None:
        settings = replace(
            aws.settings(claude.url), answer_timeout_s="60", stream_timeout_s="100", ping_s="15"
        )
        chat = ChatSettings(conversations_table=aws.conversations_table(), **(LIMITS | limits))
        self.key, *others = [aws.add_client(budget=BUDGET)[0] for _ in range(clients)]
        self.in_turn = cycle([self.key, *others])
        port = free_port()
        env = settings.to_env() | chat.to_env()
        env |= {
            "PATH": os.environ["PATH"],
            "AWS_REGION": aws.runtime.region,
            "AWS_ENDPOINT_URL": aws.url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",  # pragma: allowlist secret
            "AWS_LWA_PORT": str(port),
        }
        env |= {"ECS_CONTAINER_METADATA_URI_V4": metadata} if metadata else {}
        command = [sys.executable, "-m", "service_src"]
        self.process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)
        self.url = f"http://127.0.0.1:{port}"
        self.ws = f"ws://127.0.0.1:{port}/chat"

    def ready(self) -> None:
        end = time.monotonic() + 20
        while time.monotonic() < end:
            try:
                if httpx2.get(f"{self.url}/ready", timeout=2).status_code == 200:
                    return
            except httpx2.HTTPError:
                assert self.process.poll() is None, "the service ended"
        raise AssertionError("the service did not come up")

    def drain(self) -> None:
        self.process.send_signal(signal.SIGTERM)


@contextmanager
def running(
    aws: AwsDouble, claude: Fake, metadata: str | None = None, clients: int = 1, **limits: str
) -> Iterator[Process]:
    """A service until the block ends; sockets are opened by its clients in turn."""
    one = Process(aws, claude, metadata, clients, **limits)
    try:
        one.ready()
        yield one
    finally:
        one.process.kill()
        one.process.wait(10)


class Begun:
    """So many answers have begun; a few begin at a time, since the table is a single thread."""

    def __init__(self) -> None:
        self.gate, self.count = asyncio.Semaphore(10), asyncio.Semaphore(0)

    async def all(self, number: int) -> None:
        for _ in range(number):
            await self.count.acquire()


async def chat(service: Process, begun: Begun) -> str:
    """One socket, one answer; how it ended: the type of its last frame, and the close code."""
    terminal = "nothing"
    async with AsyncExitStack() as stack:
        async with begun.gate:
            socket = await stack.enter_async_context(opened(service))
            await socket.recv()
            await socket.send(json.dumps({"type": "message", "id": "m", "content": "x"}))
            first = json.loads(await socket.recv())
            assert first["type"] == "delta", first
            begun.count.release()
        try:
            while True:
                kind = json.loads(await socket.recv())["type"]
                terminal = kind if kind in ("done", "error") else terminal
        except ConnectionClosed:
            return f"{terminal} {socket.close_code}"


def opened(service: Process) -> connect:
    return connect(
        service.ws,
        subprotocols=[Subprotocol("claude.v1")],
        additional_headers={"x-api-key": next(service.in_turn)},
        proxy=None,
        open_timeout=60,
    )


async def within(talk: Coroutine[Any, Any, T], seconds: float = 100) -> T:
    async with asyncio.timeout(seconds):
        return await talk


def test_streams_that_outlive_the_drain_get_a_terminal_frame_and_what_they_wrote_is_kept(
    aws: AwsDouble, claude: Fake
) -> None:
    claude.plan([{"name": "hold", "after": 2}], repeat=True)
    with running(aws, claude, drain_s="1") as service:

        async def talk() -> tuple[list[str], list[bytes]]:
            begun = Begun()
            sockets = [asyncio.create_task(chat(service, begun)) for _ in range(20)]
            body = {
                "model": "fast",
                "max_tokens": 50,
                "stream": True,
                "messages": [{"role": "user", "content": "x"}],
            }
            async with httpx2.AsyncClient(timeout=30) as http:
                headers = {"x-api-key": service.key}
                post = http.stream("POST", f"{service.url}/v1/messages", json=body, headers=headers)
                async with post as stream:
                    chunks = stream.aiter_raw()
                    first = await anext(chunks)
                    await begun.all(20)
                    service.drain()
                    rest = [chunk async for chunk in chunks]
            return list(await asyncio.gather(*sockets)), [first, *rest]

        ended, streamed = asyncio.run(within(talk()))
        assert ended == ["error 1001"] * 20
        assert b"event: error" in streamed[-1]
        assert service.process.wait(10) == 0
    kept = aws.boto("dynamodb").scan(TableName="conversations")["Items"]
    assert len(kept) == 20
    assert all(json.loads(one["said"]["S"])["incomplete"] for one in kept)


def test_idle_sockets_are_told_to_reconnect_and_new_ones_are_not_taken(
    aws: AwsDouble, claude: Fake
) -> None:
    claude.plan(["hold"])
    with running(aws, claude) as service:

        async def talk() -> None:
            async with opened(service) as idle, opened(service) as busy:
                await idle.recv()
                await busy.recv()
                await busy.send(json.dumps({"type": "message", "id": "m", "content": "x"}))
                await asyncio.to_thread(claude.wait, held=1)
                service.drain()
                assert json.loads(await idle.recv()) == {"type": "reconnect", "reason": "drain"}
                await idle.wait_closed()
                assert idle.close_code == 1001
                async with opened(service) as late:
                    refused = json.loads(await late.recv())
                    assert "being replaced" in refused["error"]["message"]
                    await late.wait_closed()
                    assert late.close_code == 1013
                await asyncio.to_thread(claude.release)
                kinds = [json.loads(text)["type"] async for text in busy]
                assert kinds[-2:] == ["done", "reconnect"]

        asyncio.run(within(talk()))
        assert service.process.wait(15) == 0


class Metadata(BaseHTTPRequestHandler):
    """What ECS tells a task of itself."""

    wanted = "RUNNING"

    def do_GET(self) -> None:
        body = json.dumps({"DesiredStatus": type(self).wanted}).encode()
        self.send_response(200 if self.path == "/v4/task" else 404)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_a_task_that_ecs_wants_stopped_drains_before_any_signal_comes(
    aws: AwsDouble, claude: Fake
) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Metadata) as ecs:
        thread = threading.Thread(target=ecs.serve_forever, daemon=True)
        thread.start()
        try:
            url = f"http://127.0.0.1:{ecs.server_port}/v4"
            with running(aws, claude, metadata=url) as service:
                assert service.process.poll() is None
                Metadata.wanted = "STOPPED"
                assert service.process.wait(20) == 0
        finally:
            Metadata.wanted = "RUNNING"
            ecs.shutdown()
            thread.join()
