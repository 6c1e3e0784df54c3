"""The streaming service on a socket, with one client, against moto and the fake Claude."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx2

from claude_core.clients import ClientKey
from local.fake_claude.inprocess import Fake
from service_src.app import create
from tests.doubles import CLAUDE_KEY, AwsDouble
from tests.serving import serving

MESSAGE: dict[str, Any] = {
    "model": "fast",
    "max_tokens": 50,
    "messages": [{"role": "user", "content": "hello"}],
}
STREAM = MESSAGE | {"stream": True}
BUDGET = 10**10


class Served:
    """The service on a socket, one client, and an HTTP connection with its key."""

    def __init__(self, aws: AwsDouble, claude: Fake, url: str, key: str, client: ClientKey) -> None:
        self.aws, self.claude, self.url, self.key, self.client = aws, claude, url, key, client
        self.http = httpx2.Client(base_url=url, headers={"x-api-key": key}, timeout=20)

    def post(self, body: Any = None, **more: Any) -> httpx2.Response:
        return self.http.post("/v1/messages", json=body, **more)

    def events(self, **body: Any) -> list[dict[str, Any]]:
        """Every event of a streamed answer, pings aside."""
        text = self.post(STREAM | body).text
        data = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: ")]
        return [event for event in data if event["type"] != "ping"]

    @contextmanager
    def streaming(self, **headers: str) -> Iterator[Iterator[bytes]]:
        """The chunks of a streamed answer, as they arrive."""
        with self.http.stream("POST", "/v1/messages", json=STREAM, headers=headers) as answer:
            assert answer.status_code == 200, answer.read()
            yield answer.iter_raw()

    def spent(self, budget: int = BUDGET) -> int:
        """Nano-dollars of it that the client was charged."""
        row = self.aws.row(self.client)
        left = [int(value) for name, value in row.items() if name.startswith("left_")]
        return budget - left[0] if left else 0

    def open(self) -> int:
        return len(self.aws.row(self.client)["open"])

    def asked(self) -> int:
        return sum(route["total"] for route in self.claude.stats()["calls"].values())


@contextmanager
def service(
    aws: AwsDouble, claude: Fake, secret: str | None = CLAUDE_KEY, **more: str
) -> Iterator[Served]:
    limits = {"answer_timeout_s": "10", "stream_timeout_s": "20", "ping_s": "15"}
    settings = replace(aws.settings(claude.url, secret), **(limits | more))
    key, client = aws.add_client(budget=BUDGET)
    with serving(create(settings, aws.runtime)) as url:
        served = Served(aws, claude, url, key, client)
        aws.calls.clear()
        with served.http:
            yield served


def settled(served: Served, within_s: float = 5.0) -> None:
    """Until nothing is open; what ends after its caller has left can be seen nowhere else."""
    end = time.monotonic() + within_s
    while served.open():
        assert time.monotonic() < end, "the reservation stays open"
