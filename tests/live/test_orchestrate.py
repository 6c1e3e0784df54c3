"""OrchestratorStack as a user meets it: deployed by cdk, asked with the official client."""

import subprocess
from typing import Any

import anthropic
import httpx2
import pytest
from anthropic.types import Message, RawMessageStreamEvent

from claude_core.models import resolve
from claude_core.routes import Table
from claude_core.routing.choice import Reason
from local.paths import ROOT
from tests.live.conftest import Deployment, told
from tests.live.test_serverless import CHECKS

pytestmark = pytest.mark.live
QUESTION: dict[str, Any] = {
    "messages": [{"role": "user", "content": "Ten names for a bakery at the harbour."}]
}


@pytest.fixture
def url(deployment: Deployment) -> str:
    if "OrchestratorStack" not in deployment.outputs:
        pytest.skip("OrchestratorStack is not part of this deployment")
    return deployment.outputs["OrchestratorStack"]["ApiUrl"].rstrip("/")


@pytest.fixture
def client(deployment: Deployment, url: str) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=url, api_key=deployment.key, max_retries=0)


def holds(route: Any, model: str) -> None:
    """A choice explains itself, and is the model that answered."""
    assert route["intent"] in Table.own().routes
    assert route["model"] == model
    assert route["reason"] in {str(reason) for reason in Reason}
    assert route["cost_usd"] >= 0


def test_the_official_client_gets_an_answer_that_says_who_gave_it(
    client: anthropic.Anthropic,
) -> None:
    with client:
        message = client.post("/v1/orchestrate", cast_to=Message, body=QUESTION)
    assert message.content
    route = message.model_dump()["route"]
    holds(route, message.model)
    assert "saved_usd" in route


def test_the_official_client_streams_it(client: anthropic.Anthropic) -> None:
    with client:
        events = client.post(
            "/v1/orchestrate",
            cast_to=Message,
            body=QUESTION | {"stream": True},
            stream=True,
            stream_cls=anthropic.Stream[RawMessageStreamEvent],
        )
        found = list(events)
    first, last = found[0], found[-2]
    assert (first.type, last.type, found[-1].type) == (
        "message_start",
        "message_delta",
        "message_stop",
    )
    assert first.type == "message_start"
    holds(first.message.model_dump()["route"], first.message.model)
    assert "saved_usd" in last.model_dump()["route"]


def test_a_conversation_goes_on_with_the_model_whose_tool_has_answered(
    client: anthropic.Anthropic,
) -> None:
    """All that comes is sent back as it came, thoughts too, and no model is given another's."""
    tool = {"name": "look", "input_schema": {"type": "object"}}
    question = {"role": "user", "content": "[[fake: thinking]] use tool look: is it raining?"}
    body: dict[str, Any] = {"messages": [question], "tools": [tool]}

    def answered(**more: Any) -> Message:
        answer = client.post("/v1/orchestrate", cast_to=Message, body=body | more)
        said = [block.to_dict() for block in answer.content]
        body["messages"] += [{"role": "assistant", "content": said}]
        return answer

    with client:
        first = answered()
        calls = [block for block in first.content if block.type == "tool_use"]
        results = [
            {"type": "tool_result", "tool_use_id": call.id, "content": "no"} for call in calls
        ]
        body["messages"] += [{"role": "user", "content": results}]
        more = answered()
        assert calls
        assert more.model == first.model
        assert more.model_dump()["route"]["reason"] == str(Reason.CONVERSATION)
        for model in ("fast", "balanced", "balanced", "auto"):
            body["messages"] += [{"role": "user", "content": "[[fake: thinking]] And tomorrow?"}]
            answer = answered(model=model)
            assert model == "auto" or answer.model == resolve(model).id


def test_tokens_arrive_as_they_are_written(only_local: Deployment, url: str) -> None:
    """The fake holds the answer back until it is told that its beginning has arrived."""
    body = {"input": "[[fake: hold after=2 model=claude-haiku-5-5]]", "model": "fast"}
    release = only_local.outputs["Local"]["ClaudeUrl"] + "/_fake/release"
    headers, seen = {"x-api-key": only_local.key}, b""
    asking: dict[str, Any] = {"headers": headers, "json": body | {"stream": True}, "timeout": 40}
    with httpx2.stream("POST", f"{url}/v1/orchestrate", **asking) as answer:
        chunks = answer.iter_raw()
        while seen.count(b"text_delta") < 2:
            seen += next(chunks)
        assert b"message_stop" not in seen
        httpx2.post(release).raise_for_status()
        assert b"message_stop" in seen + b"".join(chunks)


def test_an_input_alone_is_the_shortest_way_in(deployment: Deployment, url: str) -> None:
    answer = httpx2.post(
        f"{url}/v1/orchestrate",
        headers={"x-api-key": deployment.key},
        json={"input": "Why is the sky blue?", "max_tokens": 50},
        timeout=40,
    )
    assert answer.status_code == 200, answer.text
    holds(answer.json()["route"], answer.json()["model"])
    assert answer.headers["request-id"]


def test_a_model_asked_for_by_name_answers(client: anthropic.Anthropic) -> None:
    with client:
        message = client.post(
            "/v1/orchestrate", cast_to=Message, body=QUESTION | {"model": "balanced"}
        )
    assert message.model == resolve("balanced").id
    assert message.model_dump()["route"]["reason"] == "asked for by name"


def test_a_refusal_is_the_official_clients_own_error_and_claude_is_not_asked(
    only_local: Deployment, client: anthropic.Anthropic
) -> None:
    before = only_local.fake("/_fake/stats")
    for more, error in (
        ({"speed": "fast"}, anthropic.BadRequestError),
        ({"model": "claude-9"}, anthropic.NotFoundError),
        ({"model": "claude-fable-5-1"}, anthropic.PermissionDeniedError),
    ):
        with pytest.raises(error) as refused:
            client.post("/v1/orchestrate", cast_to=Message, body=QUESTION | more)
        assert refused.value.request_id
    client.close()
    assert only_local.fake("/_fake/stats") == before


def test_whoever_it_overloads_another_model_answers(
    only_local: Deployment, client: anthropic.Anthropic
) -> None:
    """The script meets the answer alone; the fake classifier takes the intent that it reads."""
    said = f"{told('overloaded model=claude-sonnet-5-5')[0]['content']} a task"
    with client:
        message = client.post(
            "/v1/orchestrate",
            cast_to=Message,
            body={"messages": [{"role": "user", "content": said}], "max_tokens": 20},
        )
    assert message.model == "claude-haiku-5-5"
    assert message.model_dump()["route"]["reason"] == "the model before it could not answer"


def test_other_routes_are_not_here_and_health_needs_no_key(url: str) -> None:
    assert httpx2.get(f"{url}/health", timeout=40).json() == {"status": "ok"}
    answer = httpx2.post(f"{url}/v1/messages", json={}, timeout=40)
    assert (answer.status_code, answer.json()["error"]["type"]) == (404, "not_found_error")


def test_whatever_is_sent_by_the_description_no_answer_is_a_5xx(
    deployment: Deployment, url: str
) -> None:
    command = [
        str(ROOT / ".venv" / "bin" / "schemathesis"),
        *("run", f"{url}/openapi.json", "--url", url),
        *("--header", f"x-api-key: {deployment.key}", "--checks", CHECKS),
        *("--max-examples", "20", "--seed", "7", "--workers", "1", "--no-color"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-4_000:]
