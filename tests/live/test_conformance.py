"""The official clients, unchanged, pointed at a deployment: Python with and without await,
TypeScript, and curl."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import anthropic
import httpx2
import pytest
from anthropic.types import Message, MessageParam, ToolParam
from pydantic import BaseModel

from tests.live.conftest import Deployment, told

pytestmark = pytest.mark.live
T = TypeVar("T")
HELLO: list[MessageParam] = [{"role": "user", "content": "Why is the sky blue?"}]
ASKING: dict[str, Any] = {"model": "fast", "max_tokens": 100, "messages": HELLO}
LOOK: ToolParam = {
    "name": "look",
    "description": "Look at the sky.",
    "input_schema": {"type": "object", "properties": {"where": {"type": "string"}}},
}


class Ask:
    """The same calls through the client without await, or the one with."""

    def __init__(self, deployment: Deployment, way: str) -> None:
        self._deployment, self._way = deployment, way

    def _run(
        self,
        plain: Callable[[anthropic.Anthropic], T],
        waiting: Callable[[anthropic.AsyncAnthropic], Awaitable[T]],
    ) -> T:
        if self._way == "sync":
            with self._deployment.client() as client:
                return plain(client)

        async def run() -> T:
            async with self._deployment.async_client() as client:
                return await waiting(client)

        return asyncio.run(run())

    def create(self, **asking: Any) -> Message:
        message: Message = self._run(
            lambda client: client.messages.create(**asking),
            lambda client: client.messages.create(**asking),
        )
        return message

    def stream(self, **asking: Any) -> tuple[list[str], Message]:
        """The texts as they came, and the final message."""

        def plain(client: anthropic.Anthropic) -> tuple[list[str], Message]:
            with client.messages.stream(**asking) as stream:
                return list(stream.text_stream), stream.get_final_message()

        async def waiting(client: anthropic.AsyncAnthropic) -> tuple[list[str], Message]:
            async with client.messages.stream(**asking) as stream:
                return [text async for text in stream.text_stream], await stream.get_final_message()

        return self._run(plain, waiting)

    def parse(self, output: type[BaseModel], **asking: Any) -> Any:
        return self._run(
            lambda client: client.messages.parse(output_format=output, **asking),
            lambda client: client.messages.parse(output_format=output, **asking),
        )

    def count(self, **asking: Any) -> int:
        return self._run(
            lambda client: client.messages.count_tokens(**asking),
            lambda client: client.messages.count_tokens(**asking),
        ).input_tokens

    def models(self) -> list[str]:
        async def waiting(client: anthropic.AsyncAnthropic) -> list[str]:
            return [model.id async for model in client.models.list()]

        return self._run(lambda client: [model.id for model in client.models.list()], waiting)


@pytest.fixture(params=["sync", "async"])
def ask(deployment: Deployment, request: pytest.FixtureRequest) -> Ask:
    return Ask(deployment, request.param)


def test_create(ask: Ask) -> None:
    message = ask.create(**ASKING)
    assert (message.type, message.stop_reason) == ("message", "end_turn")
    assert message.usage.output_tokens > 0
    assert message._request_id


def test_stream(ask: Ask) -> None:
    texts, message = ask.stream(**ASKING)
    assert len(texts) > 1
    assert "".join(texts) == "".join(b.text for b in message.content if b.type == "text")
    assert message.stop_reason == "end_turn"
    assert message.usage.output_tokens > 0


class City(BaseModel):
    city: str


def test_parse(ask: Ask) -> None:
    parsed = ask.parse(City, **ASKING).parsed_output
    assert isinstance(parsed, City)


def test_count_tokens(ask: Ask) -> None:
    assert ask.count(model="fast", messages=HELLO) > 0


def test_models_list(ask: Ask) -> None:
    assert "claude-haiku-5-5" in ask.models()


def test_a_tool_is_called_and_its_result_is_understood(only_local: Deployment, ask: Ask) -> None:
    tools = [LOOK]
    asked = ask.create(**ASKING | {"messages": told("tool_use"), "tools": tools})
    assert asked.stop_reason == "tool_use"
    (call,) = [block for block in asked.content if block.type == "tool_use"]
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "blue"}
    said = [
        *HELLO,
        {"role": "assistant", "content": asked.content},
        {"role": "user", "content": [result]},
    ]
    _, answer = ask.stream(**ASKING | {"messages": said, "tools": tools})
    assert answer.stop_reason == "end_turn"


ERRORS: list[tuple[dict[str, Any], type[anthropic.APIStatusError], int]] = [
    ({"model": "claude-9"}, anthropic.NotFoundError, 404),
    ({"messages": []}, anthropic.BadRequestError, 400),
    ({"max_tokens": 0}, anthropic.BadRequestError, 400),
    ({"service_tier": "auto"}, anthropic.BadRequestError, 400),
    ({"model": "claude-fable-5-1"}, anthropic.PermissionDeniedError, 403),
    ({"messages": [{"role": "user", "content": "x" * 4_600_000}]}, anthropic.APIStatusError, 413),
]


@pytest.mark.parametrize(("wrong", "error", "status"), ERRORS, ids=lambda v: str(v)[:40])
@pytest.mark.parametrize("streams", [False, True])
def test_error_classes(
    ask: Ask,
    wrong: dict[str, Any],
    error: type[anthropic.APIStatusError],
    status: int,
    streams: bool,
) -> None:
    with pytest.raises(error) as refused:
        (ask.stream if streams else ask.create)(**ASKING | wrong)
    assert refused.value.status_code == status
    assert refused.value.request_id
    assert refused.value.type


BREAKS = [
    ("stream_error", "overloaded_error", "Overloaded"),
    ("cut", "api_error", "cut off"),
    ("malformed_sse", "api_error", "could not be read"),
    ("reset after=2", "api_error", "broke"),
]


@pytest.mark.parametrize(("script", "kind", "says"), BREAKS)
def test_a_stream_that_breaks_is_an_error_of_the_client_and_never_a_short_answer(
    only_local: Deployment, ask: Ask, script: str, kind: str, says: str
) -> None:
    with pytest.raises(anthropic.APIStatusError, match=says) as broken:
        ask.stream(**ASKING | {"messages": told(script)})
    assert broken.value.type == kind


def test_the_typescript_sdk_works_unchanged(deployment: Deployment) -> None:
    node = shutil.which("node")
    assert node, "node is needed, as for the CDK CLI"
    script = Path(__file__).with_name("conformance.mjs")
    fake = ["fake"] if "Local" in deployment.outputs else []
    done = subprocess.run(
        [node, str(script), deployment.url, deployment.key, *fake],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    got = json.loads(done.stdout)
    assert (got["create"], got["stream"]) == ("claude-haiku-5-5", "end_turn")
    assert "claude-haiku-5-5" in got["models"]


def test_curl_shows_each_event_as_claude_sends_it(only_local: Deployment) -> None:
    """A route that is deployed as BUFFERED does not pass: nothing would come before the end."""
    body = {**ASKING, "stream": True, "messages": told("hold after=2")}
    command = ["curl", "-sN", f"{only_local.url}/v1/messages", "-H", f"x-api-key: {only_local.key}"]
    with subprocess.Popen(
        [*command, "--max-time", "20", "-d", json.dumps(body)], stdout=subprocess.PIPE, text=True
    ) as curl:
        assert curl.stdout
        seen = ""
        while seen.count("text_delta") < 2:
            line = curl.stdout.readline()
            assert line, f"the answer ended before it was held: {seen}"
            seen += line
        only_local.fake("/_fake/wait?held=1")
        httpx2.post(only_local.outputs["Local"]["ClaudeUrl"] + "/_fake/release")
        rest = curl.stdout.read()
    assert "message_stop" not in seen
    assert "message_stop" in rest
