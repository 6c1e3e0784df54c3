"""ServerlessStack as a user meets it: deployed by cdk, called with the official clients."""

import asyncio
import json
import subprocess
import sys
import uuid
from collections.abc import Callable

import anthropic
import httpx2
import pytest
from anthropic.types import MessageParam

from claude_core.clients import new_key
from local.paths import ROOT
from local.up import FAKE_KEY
from tests.live.conftest import Deployment

pytestmark = pytest.mark.live
HELLO: list[MessageParam] = [{"role": "user", "content": "Why is the sky blue?"}]


def kit(*arguments: str, words: str = "") -> str:
    done = subprocess.run(
        [sys.executable, "-m", "kit.main", *arguments, "--local"],
        input=words,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def add_client(name: str, *options: str) -> str:
    return str(json.loads(kit("clients", "add", name, "--json", *options))["key"])


@pytest.fixture
def name() -> str:
    """A client's name that no earlier run has taken."""
    return f"tests-{uuid.uuid4().hex[:8]}"


def test_the_official_client_gets_an_answer(deployment: Deployment) -> None:
    with deployment.client() as client:
        message = client.messages.create(model="fast", max_tokens=200, messages=HELLO)
    assert message.model == "claude-haiku-5-5"
    assert message.stop_reason == "end_turn"
    assert message.content[0].type == "text"
    assert message.usage.output_tokens > 0
    assert message._request_id


def test_the_official_async_client_gets_ten_answers_at_once(deployment: Deployment) -> None:
    async def ask() -> list[anthropic.types.Message]:
        async with anthropic.AsyncAnthropic(
            base_url=deployment.url, api_key=deployment.key, max_retries=0
        ) as client:
            calls = [
                client.messages.create(model="balanced", max_tokens=50, messages=HELLO)
                for _ in range(10)
            ]
            return list(await asyncio.gather(*calls))

    assert {message.model for message in asyncio.run(ask())} == {"claude-sonnet-5-5"}


def test_a_bearer_token_is_as_good_as_x_api_key(deployment: Deployment) -> None:
    with anthropic.Anthropic(base_url=deployment.url, auth_token=deployment.key) as client:
        assert client.messages.create(model="fast", max_tokens=20, messages=HELLO).id


def test_tokens_are_counted_and_models_listed(deployment: Deployment) -> None:
    with deployment.client() as client:
        assert client.messages.count_tokens(model="fast", messages=HELLO).input_tokens > 0
        listed = {model.id for model in client.models.list()}
    assert "claude-haiku-5-5" in listed


def test_structured_output_and_tools_arrive_as_they_were_sent(only_local: Deployment) -> None:
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    }
    with only_local.client() as client:
        answer = client.messages.create(
            model="fast",
            max_tokens=200,
            messages=HELLO,
            output_config={"format": {"type": "json_schema", "schema": schema}},
        )
    texts = [block.text for block in answer.content if block.type == "text"]
    assert set(json.loads(texts[0])) == {"city"}


def test_prompt_is_the_shortest_way_in(deployment: Deployment) -> None:
    answer = deployment.call("POST /prompt", json={"prompt": "hello", "max_tokens": 50})
    assert answer.status_code == 200
    body = answer.json()
    assert body["text"]
    assert body["tokens"] == body["usage"]["input_tokens"] + body["usage"]["output_tokens"]
    assert body["cost_usd"] > 0
    assert answer.headers["request-id"]


REFUSED: list[tuple[str, Callable[[anthropic.Anthropic], object], type[anthropic.APIStatusError]]]
REFUSED = [
    (
        "unknown model",
        lambda c: c.messages.create(model="claude-9", max_tokens=5, messages=HELLO),
        anthropic.NotFoundError,
    ),
    (
        "no messages",
        lambda c: c.messages.create(model="fast", max_tokens=5, messages=[]),
        anthropic.BadRequestError,
    ),
    (
        "a field that changes the price",
        lambda c: c.messages.create(
            model="fast", max_tokens=5, messages=HELLO, service_tier="auto"
        ),
        anthropic.BadRequestError,
    ),
    (
        "a model that the client may not use",
        lambda c: c.messages.create(model="claude-fable-5-1", max_tokens=5, messages=HELLO),
        anthropic.PermissionDeniedError,
    ),
    (
        "more than the budget",
        lambda c: c.messages.create(
            model="deep", max_tokens=21_000, messages=[{"role": "user", "content": "x" * 4_000_000}]
        ),
        anthropic.RateLimitError,
    ),
]


@pytest.mark.parametrize(("what", "ask", "error"), REFUSED, ids=lambda value: str(value)[:40])
def test_a_refusal_is_the_official_clients_own_error_and_claude_is_not_asked(
    only_local: Deployment,
    name: str,
    what: str,
    ask: Callable[[anthropic.Anthropic], object],
    error: type[anthropic.APIStatusError],
) -> None:
    key = add_client(name, "--budget", "1")
    before = only_local.fake("/_fake/stats")
    with only_local.client(key) as client, pytest.raises(error) as refused:
        ask(client)
    assert refused.value.request_id
    assert refused.value.type
    assert only_local.fake("/_fake/stats") == before


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"prompt": "\\ud800"}', b'{"prompt": 5}', b"\x00"]
)
def test_a_bad_body_is_a_400_and_claude_is_not_asked(only_local: Deployment, body: bytes) -> None:
    before = only_local.fake("/_fake/stats")
    answer = only_local.call("POST /prompt", content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert only_local.fake("/_fake/stats") == before


@pytest.mark.parametrize("key", ["", "wrong", new_key()])
def test_without_a_good_key_it_is_a_401(deployment: Deployment, key: str) -> None:
    answer = deployment.call("POST /prompt", key=key, json={"prompt": "hello"})
    assert answer.status_code == 401
    assert answer.json()["error"]["type"] == "authentication_error"


def test_an_unknown_route_is_refused_in_the_same_shape(deployment: Deployment) -> None:
    answer = deployment.call("GET /v2/nothing")
    assert answer.status_code == 404
    assert answer.json()["error"]["type"] == "not_found_error"
    assert answer.headers["request-id"]


def test_a_disabled_client_is_a_403_until_it_is_enabled(only_local: Deployment, name: str) -> None:
    key = add_client(name)
    kit("clients", "disable", name)
    with only_local.client(key) as client:
        with pytest.raises(anthropic.PermissionDeniedError):
            client.messages.create(model="fast", max_tokens=5, messages=HELLO)
        kit("clients", "enable", name)
        assert client.messages.create(model="fast", max_tokens=5, messages=HELLO).id


def test_a_rotated_claude_key_is_picked_up_without_a_failed_request(
    only_local: Deployment,
) -> None:
    """The old key dies at Claude while the function still holds it."""
    keys = only_local.outputs["Local"]["ClaudeUrl"] + "/_fake/keys"
    rotated = FAKE_KEY + "-2"
    with only_local.client() as client:
        client.messages.create(model="fast", max_tokens=5, messages=HELLO)
        try:
            kit("key", "set", words=rotated)
            httpx2.post(keys, json={"live": [rotated]}).raise_for_status()
            for _ in range(5):
                assert client.messages.create(model="fast", max_tokens=5, messages=HELLO).id
        finally:
            httpx2.post(keys, json={"live": [FAKE_KEY, rotated]}).raise_for_status()
            kit("key", "set", words=FAKE_KEY)


def test_claudes_overload_reaches_the_caller_as_itself(only_local: Deployment) -> None:
    messages: list[MessageParam] = [{"role": "user", "content": "[[fake: overloaded]]"}]
    with only_local.client() as client, pytest.raises(anthropic.InternalServerError) as failed:
        client.messages.create(model="fast", max_tokens=5, messages=messages)
    assert (failed.value.status_code, failed.value.type) == (529, "overloaded_error")


def test_the_budget_shows_what_was_spent_and_nothing_stays_open(
    only_local: Deployment, name: str
) -> None:
    key = add_client(name, "--budget", "1")
    answer = only_local.call("POST /prompt", key=key, json={"prompt": "hello"})
    (row,) = [one for one in json.loads(kit("clients", "list", "--json")) if one["name"] == name]
    assert row["open"] == 0
    assert row["left_usd"] == pytest.approx(1 - answer.json()["cost_usd"])


CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_schema_conformance"
)


def test_whatever_is_sent_by_the_description_no_answer_is_a_5xx(deployment: Deployment) -> None:
    """schemathesis over the served OpenAPI document, by one worker: with more, `ast` of Python
    3.11 before 3.11.9 fails in hypothesis (cpython #106905)."""
    command = [
        str(ROOT / ".venv" / "bin" / "schemathesis"),
        "run",
        f"{deployment.url}/openapi.json",
        *("--url", deployment.url, "--header", f"x-api-key: {deployment.key}"),
        *("--checks", CHECKS),
        *("--max-examples", "20", "--seed", "7", "--workers", "1", "--no-color"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-4_000:]
