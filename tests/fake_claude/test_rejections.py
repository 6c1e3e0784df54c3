"""What the real API refuses, the fake refuses: a test must not pass on a request that is wrong."""

import json
from typing import Any

import anthropic
import httpx2
import pytest

from local.fake_claude.inprocess import Fake
from local.fake_claude.request import LARGEST_BYTES
from tests.fake_claude.conftest import KEY, MODEL, ask

USER = {"role": "user", "content": "hi"}
EMPTY_BLOCK = [{"role": "user", "content": [{"type": "text", "text": ""}]}]
OPEN_SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
NESTED_OPEN = {"type": "array", "items": OPEN_SCHEMA}
OFF = {"type": "disabled"}
MARK = {"cache_control": {"type": "ephemeral"}}


def output(schema: Any) -> dict[str, Any]:
    return {"output_config": {"format": {"type": "json_schema", "schema": schema}}}


def says(content: Any, role: str = "user") -> dict[str, Any]:
    return {"messages": [{"role": role, "content": content}]}


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"max_tokens": ...}, "max_tokens: Field required"),
    ({"messages": ...}, "messages: Field required"),
    ({"model": ...}, "model: Field required"),
    ({"max_tokens": "5"}, "max_tokens: Input should be a valid integer"),
    ({"max_tokens": 5.5}, "max_tokens: Input should be a valid integer"),
    ({"max_tokens": True}, "max_tokens: Input should be a valid integer"),
    ({"max_tokens": None}, "max_tokens: Input should be a valid integer"),
    ({"max_tokens": -1}, "max_tokens: Input should be greater than or equal to 0"),
    ({"max_tokens": 128_001}, "max_tokens: 128001 > 128000"),
    ({"messages": []}, "messages: at least one message is required"),
    ({"messages": "hi"}, "messages: Input should be a valid list"),
    ({"messages": ["hi"]}, "messages.0: Input should be a valid dictionary"),
    ({"messages": [{"role": "user"}]}, "messages.0.content: Field required"),
    ({"messages": [{**USER, "name": "me"}]}, "messages.0.name: Extra inputs are not permitted"),
    (says("hi", "robot"), "messages.0.role: Input should be"),
    (says(""), "messages.0: messages must have non-empty content"),
    (says([]), "messages.0: messages must have non-empty content"),
    (says(5), "messages.0.content: Input should be a valid string or list"),
    (says([{"type": "hologram"}]), "Input tag 'hologram'"),
    (says([{"text": "hi"}]), "messages.0.content.0.type: Field required"),
    (says([{"type": "text"}]), "messages.0.content.0.text.text: Field required"),
    ({"messages": EMPTY_BLOCK}, "text content blocks must be non-empty"),
    ({"system": [{"type": "image"}]}, "system.0: Input tag 'image'"),
    ({"temperature": 0.5}, "`temperature` is deprecated for this model."),
    ({"top_p": 0.9}, "`top_p` is deprecated for this model."),
    ({"top_k": 5}, "`top_k` is deprecated for this model."),
    ({"messages": [USER, {"role": "assistant", "content": "{"}]}, "assistant message prefill"),
    ({"thinking": {"type": "enabled", "budget_tokens": 1_024}}, "thinking.type.enabled"),
    ({"thinking": {"type": "deep"}}, "thinking.type: Input should be one of"),
    ({"thinking": {"type": "between_tools"}}, "thinking.type.between_tools"),
    ({"thinking": OFF, "model": "claude-sonnet-5-5"}, "thinking.type.disabled"),
    ({"thinking": OFF, "model": "claude-opus-5-5"}, "thinking.type.disabled"),
    ({"thinking": OFF, "output_config": {"effort": "max"}}, "thinking.type.disabled"),
    ({"tool_choice": {"type": "any"}}, "tool_choice: forced tool use is not supported"),
    ({"tool_choice": {"type": "tool", "name": "t"}}, "tool_choice: forced tool use"),
    ({"tool_choice": {"type": "some"}}, "tool_choice.type: Input should be one of"),
    ({"tools": [{}]}, "tools.0.name: Field required"),
    ({"tools": [{"name": "t"}]}, "tools.0.custom.input_schema: Field required"),
    ({"stream": "yes"}, "stream: Input should be a valid boolean"),
    ({"stop_sequences": "END"}, "stop_sequences: Input should be a valid list of strings"),
    ({"service_tier": "gold"}, "service_tier: Input should be"),
    ({"output_config": {"effort": "heroic"}}, "output_config.effort: Input should be one of"),
    ({"output_config": {"format": {"type": "yaml"}}}, "output_config.format: Input should"),
    (output(OPEN_SCHEMA), "'additionalProperties' must be explicitly set to false"),
    (output(NESTED_OPEN), "'additionalProperties' must be explicitly set to false"),
    (output({"$ref": "#/nowhere"}), "not a JSON schema that can be followed"),
    ({"cache_control": {"type": "forever"}}, "cache_control: Input should be ephemeral"),
    (says([{"type": "text", "text": "x", **MARK}] * 5), "A maximum of 4 blocks"),
    ({"unheard_of": 1}, "unheard_of: Extra inputs are not permitted"),
    ({"mcp_servers": []}, "mcp_servers: Extra inputs are not permitted"),
]


def changed(changes: dict[str, Any]) -> dict[str, Any]:
    merged = {**ask(), **changes}
    return {name: value for name, value in merged.items() if value is not ...}


def assert_error(answer: httpx2.Response, status: int, kind: str, words: str) -> None:
    assert answer.status_code == status
    body = answer.json()
    assert body == {
        "type": "error",
        "error": {"type": kind, "message": body["error"]["message"]},
        "request_id": answer.headers["request-id"],
    }
    assert words in body["error"]["message"]


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize(("changes", "words"), REFUSED, ids=lambda value: str(value)[:60])
def test_a_wrong_request_is_a_400_that_names_what_is_wrong(
    http: httpx2.Client, changes: dict[str, Any], words: str, streaming: bool
) -> None:
    body = changed({**({"stream": True} if streaming else {}), **changes})
    answer = http.post("/v1/messages", json=body)
    assert_error(answer, 400, "invalid_request_error", words)


def test_what_is_refused_is_neither_billed_nor_counted_against_the_plan(
    fake: Fake, http: httpx2.Client
) -> None:
    fake.plan(["overloaded"])
    http.post("/v1/messages", json=ask(temperature=1))
    stats = fake.stats()
    assert stats["billed"]["completions"] == stats["billed"]["input_tokens"] == 0
    assert stats["planned"] == 1


@pytest.mark.parametrize("model", ["claude-9", "claude-sonnet-4-20250514", "", "fast"])
def test_an_unknown_and_a_retired_model_are_the_same_404(http: httpx2.Client, model: str) -> None:
    answer = http.post("/v1/messages", json=ask(model=model))
    assert_error(answer, 404, "not_found_error", f"model: {model}")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"hi"',
        b"\xff",
        b'{"a": NaN}',
        b'{"a": "\\ud800"}',
        b"[" * 100_000,
        json.dumps(ask()).encode("utf-16"),
    ],
    ids=lambda body: repr(body[:20]),
)
def test_what_is_no_json_object_is_a_400_and_leaves_the_statistics_readable(
    fake: Fake, http: httpx2.Client, body: bytes
) -> None:
    answer = http.post("/v1/messages", content=body)
    assert_error(answer, 400, "invalid_request_error", "not valid JSON")
    assert fake.stats()["requests"][0]["body"] is None


@pytest.mark.parametrize("header", ["x-api-key", "authorization"])
@pytest.mark.parametrize("key", ["wrong", "sk-ant-", "sk-ant-a b", f"{KEY}!", KEY.upper()])
def test_a_key_that_is_none_is_a_401_however_it_is_sent(
    fake: Fake, http: httpx2.Client, header: str, key: str
) -> None:
    headers = {"anthropic-version": "2023-06-01"}
    headers[header] = key if header == "x-api-key" else f"Bearer {key}"
    for method, path in [
        ("POST", "/v1/messages"),
        ("POST", "/v1/messages/count_tokens"),
        ("GET", "/v1/models"),
        ("GET", f"/v1/models/{MODEL}"),
    ]:
        answer = httpx2.request(method, fake.url + path, headers=headers, trust_env=False)
        assert_error(answer, 401, "authentication_error", "")


def test_no_key_at_all_is_a_401(fake: Fake) -> None:
    answer = httpx2.post(f"{fake.url}/v1/messages", json=ask(), trust_env=False)
    assert_error(answer, 401, "authentication_error", "x-api-key header is required")


def test_keys_can_be_changed_while_it_runs_so_that_a_rotation_can_be_tested(
    fake: Fake, http: httpx2.Client
) -> None:
    fake.keys(["sk-ant-new"])
    assert http.post("/v1/messages", json=ask()).status_code == 401
    fake.keys([KEY, "sk-ant-new"])
    assert http.post("/v1/messages", json=ask()).status_code == 200
    fake.keys([])
    assert http.post("/v1/messages", json=ask()).status_code == 401
    fake.keys(None)
    assert http.post("/v1/messages", json=ask()).status_code == 200


@pytest.mark.parametrize("version", [None, "", "yesterday", "2020-01-01"])
def test_a_request_must_name_a_version(fake: Fake, version: str | None) -> None:
    headers = {"x-api-key": KEY, **({} if version is None else {"anthropic-version": version})}
    answer = httpx2.post(f"{fake.url}/v1/messages", json=ask(), headers=headers, trust_env=False)
    assert_error(answer, 400, "invalid_request_error", "anthropic-version")


def test_a_body_over_32_mb_is_a_413_and_one_of_exactly_32_mb_is_read(
    fake: Fake, http: httpx2.Client
) -> None:
    answer = http.post("/v1/messages", content=b" " * (LARGEST_BYTES + 1))
    assert_error(answer, 413, "request_too_large", "maximum size")
    assert fake.stats()["requests"][0]["size"] == LARGEST_BYTES + 1
    answer = http.post("/v1/messages", content=b" " * LARGEST_BYTES)
    assert_error(answer, 400, "invalid_request_error", "not valid JSON")


def test_a_prompt_longer_than_the_model_can_read_is_a_400(http: httpx2.Client) -> None:
    answer = http.post("/v1/messages", json=ask("x" * 4_000_001))
    assert_error(answer, 400, "invalid_request_error", "1000001 tokens > 1000000 maximum")


@pytest.mark.parametrize("path", ["/", "/v1/messages/", "/v1/complete", "/v2/messages"])
def test_an_unknown_route_is_a_404_in_the_apis_words(http: httpx2.Client, path: str) -> None:
    assert_error(http.post(path, json=ask()), 404, "not_found_error", "Not Found")


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/v1/messages"), ("PUT", "/v1/messages"), ("POST", "/v1/models")]
)
def test_a_wrong_method_is_a_405(http: httpx2.Client, method: str, path: str) -> None:
    answer = http.request(method, path)
    assert_error(answer, 405, "invalid_request_error", "Method Not Allowed")


@pytest.mark.parametrize("field", ["max_tokens", "stream", "metadata", "temperature"])
def test_counting_refuses_what_only_an_answer_needs(http: httpx2.Client, field: str) -> None:
    body = {**ask(), "stream": False, "metadata": {}, "temperature": 1}
    body = {name: body[name] for name in ("model", "messages", field)}
    answer = http.post("/v1/messages/count_tokens", json=body)
    assert_error(answer, 400, "invalid_request_error", f"{field}: Extra inputs")


def test_a_refusal_is_the_official_clients_own_error(sdk: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.BadRequestError) as refused:
        sdk.messages.create(**ask(max_tokens=0, system=[{"type": "text", "text": ""}]))
    assert refused.value.type == "invalid_request_error"
    assert refused.value.request_id
