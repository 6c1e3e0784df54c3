"""The service that chooses the model, on a socket, with one client, against moto and the fake."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import anthropic
import httpx2

from claude_core.models import resolve
from claude_core.settings import RouterSettings
from claude_core.usage import Usage
from local.fake_claude.inprocess import Fake
from service_src.app import create
from tests.doubles import AwsDouble
from tests.handlers.served import BUDGET, Served
from tests.serving import serving

SORTER = "claude-haiku-5-5"
SHIPPED = "claude_core/routes.json"


def sorted_as(intent: str, confidence: float = 0.9) -> dict[str, Any]:
    """What the classifier is to say next."""
    return labelled({"intent": intent, "confidence": confidence})


def labelled(text: object) -> dict[str, Any]:
    return {"name": "answer", "text": text, "model": SORTER}


class Orchestrated(Served):
    """As Served, asked to choose."""

    def post(self, body: Any = None, **more: Any) -> httpx2.Response:
        return self.http.post("/v1/orchestrate", json=body, **more)

    def events(self, **body: Any) -> list[dict[str, Any]]:
        """Every event of a streamed answer, pings aside."""
        text = self.post({"stream": True} | body).text
        data = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: ")]
        return [event for event in data if event["type"] != "ping"]

    def official(self) -> anthropic.Anthropic:
        return anthropic.Anthropic(base_url=self.url, api_key=self.key, max_retries=0)

    def models_asked(self) -> list[str]:
        """Of Claude, in order."""
        return [record["body"]["model"] for record in self.claude.stats()["requests"]]

    def billed(self) -> int:
        """Nano-dollars that Claude has taken."""
        by_model = self.claude.stats()["billed"]["by_model"]
        return sum(resolve(name).cost(Usage.from_json(used)) for name, used in by_model.items())


@contextmanager
def orchestrated(
    aws: AwsDouble,
    claude: Fake,
    *,
    budget: int = BUDGET,
    models: tuple[str, ...] = ("fast", "balanced", "deep"),
    routes_file: str = SHIPPED,
    answer_timeout_s: str = "10",
    **client: Any,
) -> Iterator[Orchestrated]:
    """The service with a client of these."""
    limits = {"answer_timeout_s": answer_timeout_s, "stream_timeout_s": "20", "ping_s": "15"}
    settings = replace(aws.settings(claude.url), **limits)
    key, proof = aws.add_client(budget=budget, models=models, **client)
    router = RouterSettings(routes_file=routes_file, conversations_table=aws.routed_table())
    with serving(create(settings, aws.runtime, router=router)) as url:
        served = Orchestrated(aws, claude, url, key, proof)
        aws.calls.clear()
        with served.http:
            yield served
