"""The balancer passes streams and websockets on as they come, to targets that are healthy."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from local.balancer import Balancer, run
from local.processes import free_port

WAIT_S = 10.0


class Target:
    """A task of a few lines; `go_on` lets its stream end, `left` is set when its caller went."""

    def __init__(self, name: str = "one", *, ready: int = 200) -> None:
        self.name, self.ready = name, ready
        self.go_on, self.left = threading.Event(), threading.Event()
        self.port = free_port()
        config = uvicorn.Config(self, host="127.0.0.1", port=self.port, log_level="critical")
        self.server = uvicorn.Server(config)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await self._chat(scope, receive, send)
        elif scope["type"] == "http" and scope["path"] == "/ready":
            await self._say(send, b"", self.ready)
        elif scope["type"] == "http" and scope["path"] == "/stream":
            await self._stream(receive, send)
        elif scope["type"] == "http":
            headers = {name.decode(): value.decode() for name, value in scope["headers"]}
            told = {"name": self.name, "headers": headers, "body": ""}
            while (part := await receive())["type"] == "http.request":
                told["body"] = str(told["body"]) + part["body"].decode()
                if not part.get("more_body"):
                    break
            await self._say(send, json.dumps(told).encode())

    async def _say(self, send: Any, body: bytes, status: int = 200) -> None:
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": body})

    async def _stream(self, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"first ", "more_body": True})
        await receive()
        gone = asyncio.create_task(receive())
        told = asyncio.create_task(asyncio.to_thread(self.go_on.wait, WAIT_S))
        await asyncio.wait({gone, told}, return_when=asyncio.FIRST_COMPLETED)
        if gone.done():
            self.left.set()
            self.go_on.set()
        gone.cancel()
        await send({"type": "http.response.body", "body": b"second"})

    async def _chat(self, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        if b"refuse" in scope["query_string"]:
            await send({"type": "websocket.close"})
            return
        await send({"type": "websocket.accept", "subprotocol": scope["subprotocols"][0]})
        while (got := await receive())["type"] == "websocket.receive":
            if got["text"] == "close":
                await send({"type": "websocket.close", "code": 4408, "reason": "idle"})
                return
            await send({"type": "websocket.send", "text": f"{self.name} {got['text']}"})
        self.left.set()


@contextmanager
def behind(folder: Path, *targets: Target, idle_s: float = WAIT_S) -> Iterator[str]:
    """A balancer before running targets; its URL."""
    file, port = folder / "targets.json", free_port()
    file.write_text(json.dumps([target.port for target in targets]))
    balancer = Balancer(file, "/ready", idle_s)
    stop = threading.Event()
    with ExitStack() as stack:
        for server in [target.server for target in targets]:
            thread = threading.Thread(target=server.run, daemon=True)
            thread.start()
            stack.callback(thread.join)
            stack.callback(setattr, server, "should_exit", True)
            until(lambda server=server: server.started)
        thread = threading.Thread(target=lambda: asyncio.run(served(balancer, port, stop)))
        thread.start()
        stack.callback(thread.join)
        stack.callback(stop.set)
        until(lambda: balancer._healthy or not targets)
        until(lambda: listens(port))
        yield f"http://127.0.0.1:{port}"


async def served(balancer: Balancer, port: int, stop: threading.Event) -> None:
    serving = asyncio.create_task(run(balancer, port))
    await asyncio.to_thread(stop.wait)
    serving.cancel()
    # With it, the connections that the tests have closed: none may outlive them.
    _, open_ones = await asyncio.wait(
        asyncio.all_tasks() - {asyncio.current_task()}, timeout=WAIT_S
    )
    assert not open_ones


def listens(port: int) -> bool:
    with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


def until(true: Any) -> None:
    end = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def chat(url: str, query: str = "") -> Any:
    protocols = [Subprotocol("claude.v1"), Subprotocol("ticket.x")]
    return connect(url.replace("http", "ws") + f"/chat{query}", subprotocols=protocols)


def test_a_stream_is_passed_on_part_by_part(tmp_path: Path) -> None:
    target = Target()
    with (
        behind(tmp_path, target) as url,
        httpx2.stream("GET", f"{url}/stream", timeout=WAIT_S) as answer,
    ):
        parts = answer.iter_raw()
        assert next(parts) == b"first "
        target.go_on.set()
        assert b"".join(parts) == b"second"


def test_a_caller_that_leaves_a_stream_is_gone_for_the_target_too(tmp_path: Path) -> None:
    """Or nobody would cancel what Claude is still writing."""
    target = Target()
    with behind(tmp_path, target) as url:
        with httpx2.stream("GET", f"{url}/stream", timeout=WAIT_S) as answer:
            next(answer.iter_raw())
        assert target.left.wait(1)


def test_a_websocket_is_passed_on_with_its_subprotocol_and_its_close_code(tmp_path: Path) -> None:
    with behind(tmp_path, Target()) as url, chat(url) as ws:
        assert ws.subprotocol == "claude.v1"
        ws.send("hello")
        assert ws.recv(timeout=WAIT_S) == "one hello"
        ws.send("close")
        with pytest.raises(ConnectionClosed) as closed:
            ws.recv(timeout=WAIT_S)
    assert closed.value.rcvd
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4408, "idle")


def test_a_refused_websocket_is_refused_with_the_targets_own_status(tmp_path: Path) -> None:
    with behind(tmp_path, Target()) as url:
        with pytest.raises(InvalidStatus) as refused, chat(url, "?refuse"):
            pass
        assert refused.value.response.status_code == 403


def test_a_websocket_whose_caller_vanishes_ends_at_the_target(tmp_path: Path) -> None:
    target = Target()
    with behind(tmp_path, target) as url:
        with chat(url) as ws:
            ws.socket.shutdown(socket.SHUT_RDWR)
        assert target.left.wait(1)


def test_the_target_is_told_who_asks_and_gets_the_body_whole(tmp_path: Path) -> None:
    with behind(tmp_path, Target()) as url, httpx2.Client(timeout=WAIT_S) as http:
        for body in ("x" * 300_000, "short"):  # the second on a connection of its own
            told = http.post(f"{url}/told", content=body).json()
            assert told["body"] == body
        headers = {"x-forwarded-for": "9.9.9.9", "x-forwarded-proto": "https"}
        told = http.get(f"{url}/told", headers=headers).json()["headers"]
    assert told["x-forwarded-proto"] == "http"
    assert told["x-forwarded-for"].endswith("127.0.0.1")


def test_requests_go_round_the_healthy_targets_alone(tmp_path: Path) -> None:
    targets = Target("one"), Target("two"), Target("draining", ready=503)
    with behind(tmp_path, *targets) as url:
        names = {httpx2.get(f"{url}/told").json()["name"] for _ in range(8)}
    assert names == {"one", "two"}


def test_where_none_is_healthy_all_are_asked_as_aws_does(tmp_path: Path) -> None:
    with behind(tmp_path, Target("draining", ready=503)) as url:
        assert httpx2.get(f"{url}/told").json()["name"] == "draining"


def test_without_a_target_it_says_503_and_with_a_dead_one_502(tmp_path: Path) -> None:
    with behind(tmp_path) as url:
        assert httpx2.get(url).status_code == 503
        (tmp_path / "targets.json").write_text(json.dumps([free_port()]))
        until(lambda: httpx2.get(url).status_code == 502)


def test_a_new_task_is_known_as_soon_as_it_is_written_down(tmp_path: Path) -> None:
    one, two = Target("one"), Target("two")
    with behind(tmp_path, one, two) as url:
        (tmp_path / "targets.json").write_text(json.dumps([two.port]))
        # Targets take turns: four answers name every one that is asked.
        until(lambda: {httpx2.get(f"{url}/told").json()["name"] for _ in range(4)} == {"two"})


def test_silence_on_both_sides_ends_a_connection_after_the_deployed_idle_time(
    tmp_path: Path,
) -> None:
    with behind(tmp_path, Target(), idle_s=0.5) as url, chat(url) as ws:
        began = time.monotonic()
        with pytest.raises(ConnectionClosed):
            ws.recv(timeout=WAIT_S)
        assert 0.4 < time.monotonic() - began < 3


def test_a_head_without_an_end_is_refused(tmp_path: Path) -> None:
    with behind(tmp_path, Target()) as url:
        port = int(url.rsplit(":", 1)[1])
        with socket.create_connection(("127.0.0.1", port)) as caller:
            caller.sendall(b"GET / HTTP/1.1\r\nx: " + b"x" * 200_000)
            assert caller.recv(100).startswith(b"HTTP/1.1 400")
