"""How fast an answer comes is part of it: streaming, patience and deadlines are tested with it."""

import socket
import time
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from local.fake_claude.inprocess import Fake
from tests.fake_claude.conftest import ask


def arrivals(http: httpx2.Client, request: dict[str, Any]) -> tuple[float, list[float]]:
    """When the headers came, and when each text delta did, in seconds after the request."""
    started = time.perf_counter()
    with http.stream("POST", "/v1/messages", json={**request, "stream": True}) as answer:
        headers = time.perf_counter() - started
        deltas = [
            time.perf_counter() - started for line in answer.iter_lines() if "text_delta" in line
        ]
    return headers, deltas


def test_a_paced_stream_comes_token_by_token(fake: Fake, http: httpx2.Client) -> None:
    fake.plan([{"tokens": 8, "first_token_ms": 150, "per_token_ms": 40}])
    _, deltas = arrivals(http, ask())
    assert len(deltas) == 8
    for number, arrived in enumerate(deltas):
        assert 0.145 + 0.040 * number <= arrived < 1 + 0.040 * number


def test_without_a_stream_the_same_pace_delays_the_whole_answer(
    fake: Fake, http: httpx2.Client
) -> None:
    fake.plan([{"tokens": 6, "first_token_ms": 50, "per_token_ms": 20}])
    started = time.perf_counter()
    assert http.post("/v1/messages", json=ask()).status_code == 200
    assert 0.149 <= time.perf_counter() - started < 1


@pytest.mark.parametrize("name", ["answer", "overloaded"])
def test_a_delay_comes_before_the_headers_of_answers_and_refusals_alike(
    fake: Fake, http: httpx2.Client, name: str
) -> None:
    fake.plan([{"name": name, "delay_ms": 120}])
    headers, _ = arrivals(http, ask())
    assert 0.119 <= headers < 1


@pytest.mark.parametrize(
    "script", ["first_token_ms=60000", "trickle every_ms=60000", "hang after=0", "hold after=0"]
)
def test_a_slow_stream_has_its_headers_at_once_so_that_a_proxy_can_pass_them_on(
    fake: Fake, http: httpx2.Client, script: str
) -> None:
    fake.plan([script])
    with http.stream("POST", "/v1/messages", json=ask(stream=True)) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")


def test_a_trickle_comes_one_byte_at_a_time(fake: Fake, http: httpx2.Client) -> None:
    fake.plan([{"name": "trickle", "every_ms": 20}])
    started = time.perf_counter()
    with http.stream("POST", "/v1/messages", json=ask()) as answer:
        chunks = answer.iter_raw(1)
        assert [len(next(chunks)) for _ in range(5)] == [1] * 5
        assert time.perf_counter() - started >= 0.099


def test_pings_alone_keep_a_stream_open_and_say_nothing(fake: Fake, http: httpx2.Client) -> None:
    fake.plan([{"name": "ping_only", "every_ms": 10}])
    with http.stream("POST", "/v1/messages", json=ask(stream=True)) as answer:
        lines = answer.iter_lines()
        for _ in range(3):
            assert [next(lines) for _ in range(3)] == ["event: ping", 'data: {"type":"ping"}', ""]


def test_a_reset_is_a_reset_and_a_hang_up_is_not(fake: Fake) -> None:
    """RST and FIN are different failures to every client, proxy and load balancer."""
    endings: dict[str, object] = {}
    for name in ("reset", "hang for_s=0"):
        fake.plan([name])
        try:
            endings[name] = talk(fake)
        except ConnectionResetError:
            endings[name] = ConnectionResetError
    assert endings == {"reset": ConnectionResetError, "hang for_s=0": b""}


def talk(fake: Fake) -> bytes:
    """One request by hand; gives what came back, until the connection ended."""
    where = urlsplit(fake.url)
    body = httpx2.Request("POST", fake.url, json=ask()).content
    head = (
        f"POST /v1/messages HTTP/1.1\r\nhost: {where.netloc}\r\nx-api-key: sk-ant-x\r\n"
        f"anthropic-version: 2023-06-01\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection((where.hostname, where.port or 0), timeout=5) as connection:
        connection.sendall(head.encode() + body)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def test_a_hundred_small_calls_do_not_wait_for_delayed_acknowledgements(
    http: httpx2.Client,
) -> None:
    """40 ms each, four seconds in all, if the connection held small packets back."""
    started = time.perf_counter()
    for _ in range(100):
        assert http.post("/v1/messages", json=ask()).status_code == 200
    assert time.perf_counter() - started < 2
