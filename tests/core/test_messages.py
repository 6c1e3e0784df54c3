"""What may be asked: good requests pass as they came, bad ones are refused by name."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_core import fields, messages, wire
from claude_core.betas import BETAS
from claude_core.errors import AnswerLost, InvalidRequest, KitError, NotFound
from claude_core.extras import EXTRAS, NEVER, says
from claude_core.models import resolve
from claude_core.reply import Reply
from claude_core.usage import Usage

HELLO = {"role": "user", "content": "hello"}
GOOD: dict[str, Any] = {"model": "fast", "max_tokens": 100, "messages": [HELLO]}
IMAGE = {
    "type": "image",
    "source": {"type": "base64", "media_type": "image/png", "data": "aGVsbG8="},
}


def content(*blocks: object) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": list(blocks)}]}


PASSES: list[dict[str, Any]] = [
    {"system": "be brief"},
    {"system": [{"type": "text", "text": "be brief", "cache_control": {"type": "ephemeral"}}]},
    {"stop_sequences": ["END"]},
    {"metadata": {"user_id": "u1"}},
    {"thinking": {"type": "adaptive"}},
    {"output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {}}}},
    {"cache_control": {"type": "ephemeral"}},
    {"tools": [{"name": "look", "input_schema": {"type": "object"}}]},
    {"tools": [{"type": "custom", "name": "look", "input_schema": {"type": "object"}}]},
    {"tool_choice": {"type": "auto"}},
    {"stream": True, "max_tokens": 128_000},
    {"max_tokens": 21_333},
    content(IMAGE),
    content({"type": "document", "source": {"type": "base64", "data": "aGk="}}),
    content({"type": "tool_result", "tool_use_id": "t", "content": [IMAGE]}),
    content({"type": "tool_use", "id": "t", "name": "look", "input": {"type": "whatever"}}),
    content({"type": "thinking", "thinking": "…", "signature": "s"}),
]


@pytest.mark.parametrize("fields", PASSES, ids=lambda fields: json.dumps(fields)[:60])
def test_fields_that_change_no_price_pass_as_they_came(fields: dict[str, Any]) -> None:
    request = messages.request(GOOD | fields)
    sent = {**GOOD, **fields, "model": "claude-haiku-5-5"}
    assert json.loads(request.wire) == sent


ROWS: dict[str, tuple[Any, Any]] = {
    # field: a value that passes, one that is refused
    "model": ("fast", 5),
    "messages": ([HELLO], []),
    "max_tokens": (5, 0),
    "system": ("be brief", 5),
    "tools": ([{"name": "look", "input_schema": {"type": "object"}}], {}),
    "tool_choice": ({"type": "auto"}, "auto"),
    "thinking": ({"type": "adaptive"}, True),
    "output_config": ({"effort": "low"}, "low"),
    "cache_control": ({"type": "ephemeral"}, "ephemeral"),
    "stop_sequences": (["END"], "END"),
    "metadata": ({"user_id": "u1"}, "u1"),
    "stream": (True, "yes"),
}


def test_every_row_of_the_tables_is_tested() -> None:
    assert set(ROWS) == set(fields.MESSAGES) > set(fields.COUNT_TOKENS)


@pytest.mark.parametrize("name", ROWS)
def test_a_field_passes_with_a_good_value_and_is_refused_by_name_with_a_bad_one(name: str) -> None:
    good, bad = ROWS[name]
    assert messages.request(GOOD | {name: good}).body.keys() == {*GOOD, name}
    with pytest.raises(InvalidRequest, match=f"^{name}: "):
        messages.request(GOOD | {name: bad})
    if name in fields.COUNT_TOKENS:
        with pytest.raises(InvalidRequest, match=f"^{name}: "):
            messages.count_request({"model": "fast", "messages": [HELLO], name: bad})


@pytest.mark.parametrize("name", NEVER)
def test_a_field_that_nobody_is_served_says_why(name: str) -> None:
    with pytest.raises(InvalidRequest, match=f"^{name}: {NEVER[name]}"):
        messages.request(GOOD | {name: {}})


SEARCH = {"type": "web_search_20260209", "name": "web_search", "max_uses": 3}
FETCH = {"type": "web_fetch_20260309", "name": "web_fetch", "max_uses": 2}
BY_URL = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}
NEEDS: list[tuple[dict[str, Any], set[str]]] = [
    ({"speed": "fast", "model": "deep"}, {"speed"}),
    ({"service_tier": "standard_only"}, {"service_tier"}),
    ({"inference_geo": "us"}, {"inference_geo"}),
    ({"tools": [SEARCH]}, {"web_search"}),
    ({"tools": [SEARCH, FETCH]}, {"web_search", "web_fetch"}),
    (
        {"mcp_servers": [{"type": "url", "url": "https://example.com", "name": "x"}]},
        {"mcp_servers"},
    ),
    ({"tools": [{"type": "mcp_toolset", "mcp_server_name": "x"}]}, {"mcp_servers"}),
    (content(BY_URL), {"url_sources"}),
    (content({"type": "tool_result", "tool_use_id": "t", "content": [BY_URL]}), {"url_sources"}),
    (content({"type": "document", "source": {"type": "file", "file_id": "f"}}), {"file_ids"}),
    (
        content({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}),
        {"web_search"},
    ),
    (
        content({"type": "web_search_tool_result", "tool_use_id": "s", "content": []}),
        {"web_search"},
    ),
    (content({"type": "mcp_tool_result", "tool_use_id": "s", "content": []}), {"mcp_servers"}),
    ({"brand_new": 1}, {"brand_new"}),
    ({"tools": [{"type": "bash_20250124", "name": "bash"}]}, set()),
    ({"tools": [{"type": "memory_20250818", "name": "memory"}]}, set()),
]


@pytest.mark.parametrize(
    ("more", "needs"),
    NEEDS,
    ids=lambda value: str(sorted(value) if isinstance(value, set) else value)[:60],
)
def test_what_costs_more_or_reaches_elsewhere_passes_as_it_came_for_whom_it_is_allowed(
    more: dict[str, Any], needs: set[str]
) -> None:
    request = messages.request(GOOD | more)
    assert request.needs == needs
    sent = GOOD | more
    assert json.loads(request.wire) == sent | {"model": resolve(sent["model"]).id}


@pytest.mark.parametrize(
    ("beta", "need"),
    [
        ("fast-mode-2026-02-01", "speed"),
        ("web-fetch-2025-09-10", "web_fetch"),
        ("mcp-client-2025-11-20", "mcp_servers"),
        ("files-api-2025-04-14", "file_ids"),
    ],
)
def test_a_beta_needs_what_it_comes_with(beta: str, need: str) -> None:
    assert messages.request(GOOD, {"anthropic-beta": beta}).needs == {need}


def test_every_extra_has_a_row_above_and_says_how_it_is_allowed() -> None:
    assert set(EXTRAS) <= set().union(*(needs for _, needs in NEEDS))
    for name in EXTRAS:
        assert f"kit clients allow NAME {name}" in says(name)


WINDOW = 1_000_000
TENS = (10 * WINDOW * 500 + 100 * 2_500) * 11 // 10
ONE = (WINDOW * 500 + 100 * 2_500) * 11 // 10
COSTS: list[tuple[dict[str, Any], int]] = [
    # Haiku above 100,000 tokens: 500 nano-dollars in, 2,500 out; 100 tokens out are asked for. A
    # tenth more wherever the request does not say that it may leave the US.
    ({"tools": [SEARCH]}, TENS + 3 * 10_000_000),
    ({"tools": [FETCH]}, TENS),
    ({"mcp_servers": []}, TENS),
    (content(BY_URL), ONE),
    (content({"type": "document", "source": {"type": "file"}}), ONE),
    ({**content(BY_URL), "inference_geo": "global"}, ONE * 10 // 11),
    # Unknown to the kit: fast, where no multiple is known six times, and in the US 1.1 times.
    ({"brand_new": 1}, (10 * WINDOW * 500 + 100 * 2_500) * 66 // 10),
    ({"brand_new": 1, "model": "deep"}, (10 * WINDOW * 4_000 + 100 * 20_000) * 22 // 10),
]


@pytest.mark.parametrize(("more", "cost"), COSTS, ids=lambda value: str(value)[:60])
def test_an_extra_is_reserved_at_its_dearest(more: dict[str, Any], cost: int) -> None:
    assert messages.request(GOOD | more).worst_cost == cost


def test_fast_doubles_what_is_reserved_and_only_global_saves_the_regions_tenth() -> None:
    asked = GOOD | {"model": "deep", "speed": "fast"}
    for geo, tenths in (({}, 22), ({"inference_geo": "us"}, 22), ({"inference_geo": "global"}, 20)):
        request = messages.request(asked | geo)
        plain = (len(request.wire) + 4_096) * 4_000 + 100 * 20_000
        assert request.worst_cost == plain * tenths // 10


ROUND_TRIP = [
    {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "x"}},
    {
        "type": "web_search_tool_result",
        "tool_use_id": "s",
        "content": [{"type": "web_search_result", "url": "https://example.com", "title": "x"}],
    },
    {"type": "server_tool_use", "id": "c", "name": "code_execution", "input": {"code": "1"}},
    {
        "type": "code_execution_tool_result",
        "tool_use_id": "c",
        "content": {"type": "code_execution_result", "stdout": "1", "content": []},
    },
    {
        "type": "web_fetch_tool_result",
        "tool_use_id": "f",
        "content": {
            "type": "web_fetch_result",
            "content": {"type": "document", "source": {"type": "text", "data": "x"}},
        },
    },
    {"type": "text", "text": "x"},
]


def test_what_tools_at_claude_have_found_goes_back_so_that_a_conversation_can_go_on() -> None:
    said = [HELLO, {"role": "assistant", "content": ROUND_TRIP}, HELLO]
    request = messages.request(GOOD | {"tools": [SEARCH], "messages": said})
    assert request.needs == {"web_search", "web_fetch"}


def test_a_result_is_no_hiding_place_for_what_would_be_fetched() -> None:
    hidden = {"type": "web_fetch_tool_result", "tool_use_id": "f", "content": [BY_URL]}
    assert messages.request(GOOD | content(hidden)).needs == {"web_fetch", "url_sources"}


@pytest.mark.parametrize("beta", sorted(BETAS))
def test_every_allowed_beta_goes_along(beta: str) -> None:
    assert messages.request(GOOD, {"anthropic-beta": beta}).headers == {"anthropic-beta": beta}


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"max_tokens": None}, "max_tokens: must be a whole number"),
    ({"max_tokens": 0}, "max_tokens: must be a whole number"),
    ({"max_tokens": True}, "max_tokens: must be a whole number"),
    ({"max_tokens": 1.5}, "max_tokens: must be a whole number"),
    ({"max_tokens": "5"}, "max_tokens: must be a whole number"),
    ({"max_tokens": 21_334}, "max_tokens: 21334 is above 21333; ask for more with streaming"),
    ({"max_tokens": 128_001, "stream": True}, "max_tokens: 128001 is above 128000"),
    ({"model": 5}, "model: must be"),
    ({"messages": []}, "messages: must be a list with at least one"),
    ({"messages": "hello"}, "messages: must be a list"),
    ({"messages": ["hello"]}, "messages: 0 must be an object"),
    ({"messages": [{"role": "robot", "content": "x"}]}, "messages: 0.role must be"),
    ({"messages": [{"role": "user"}]}, "messages: 0.content must be"),
    ({"messages": [{"role": "user", "content": [{}]}]}, "messages: 0.content.0 must be"),
    ({"system": 5}, "system: system must be"),
    ({"stream": "yes"}, "stream: must be true or false"),
    ({"temperature": 0.5}, "temperature: the 5.5 models"),
    ({"top_k": 5}, "top_k: the 5.5 models"),
    ({"service_tier": "flex"}, "service_tier: must be one of auto, standard_only"),
    ({"speed": "ludicrous"}, "speed: must be one of standard, fast"),
    ({"speed": "fast"}, "speed: no price is known for claude-haiku-5-5"),
    ({"container": "c"}, "container: it is priced by the hour"),
    ({"Brand New": 1}, "Brand New: no such field is known here"),
    ({f"new_{at}": 1 for at in range(11)}, "no such field is known here"),
    ({"tools": [{"type": "web_search_20260209", "name": "s"}]}, "max_uses: a number from 1"),
    ({"tools": [SEARCH | {"max_uses": 101}]}, "max_uses: a number from 1 to 100"),
    ({"web_search": {}}, "web_search: no such field is known here"),
    ({"cache_control": {"type": "ephemeral", "ttl": "24h"}}, "cache_control.ttl: must be 5m or 1h"),
    (
        content(
            {"type": "text", "text": "x", "cache_control": {"type": "ephemeral", "ttl": "24h"}}
        ),
        "cache_control.ttl: must be 5m or 1h",
    ),
    ({"tools": [SEARCH | {"max_uses": 0}]}, "max_uses: a number from 1"),
    (
        {"tools": [{"type": "code_execution_20250825", "name": "c"}]},
        "no answer tells what it costs",
    ),
    ({"tools": [5]}, "tools: 0 must be"),
    (content({"type": "container_upload", "file_id": "f"}), "'container_upload' is not allowed"),
]


@pytest.mark.parametrize(("fields", "says"), REFUSED, ids=lambda value: str(value)[:60])
def test_what_cannot_be_served_is_refused_by_name(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        messages.request(GOOD | fields)
    assert says in refused.value.message


@pytest.mark.parametrize("name", ["model", "messages", "max_tokens"])
def test_a_missing_field_is_named(name: str) -> None:
    with pytest.raises(InvalidRequest, match=f"{name}: field required"):
        messages.request({field: value for field, value in GOOD.items() if field != name})


def test_unknown_models_are_404_as_at_claude() -> None:
    with pytest.raises(NotFound):
        messages.request(GOOD | {"model": "gpt-6"})


def test_betas_pass_only_from_the_list() -> None:
    beta = "structured-outputs-2025-11-13"
    allowed = messages.request(GOOD, {"anthropic-beta": f"{beta}, "})
    assert allowed.headers == {"anthropic-beta": beta}
    assert not allowed.needs
    unknown = messages.request(GOOD, {"anthropic-beta": "context-management-2025-06-27"})
    assert unknown.needs == {"context-management-2025-06-27"}
    with pytest.raises(InvalidRequest, match="anthropic-beta: '-evil'"):
        messages.request(GOOD, {"anthropic-beta": "-evil"})


def test_the_callers_version_goes_along_so_that_answers_have_the_shape_it_knows() -> None:
    sent = messages.request(GOOD, {"anthropic-version": "2023-06-01", "cookie": "no"}).headers
    assert sent == {"anthropic-version": "2023-06-01"}
    with pytest.raises(InvalidRequest, match="anthropic-version: must be a date"):
        messages.request(GOOD, {"anthropic-version": "latest\r\nx: y"})


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b"[]", "must be a JSON object"),
        (b'"hello"', "must be a JSON object"),
        (b"\xff\xfe", "not valid UTF-8"),
        (b'{"a": NaN}', "NaN is not a number in JSON"),
        (b'{"a": -Infinity}', "-Infinity is not a number"),
        (b'{"a": "\\ud800"}', "lone surrogate"),
        (b'{"\\udfff": 1}', "lone surrogate"),
        ("\ud800".encode(errors="surrogatepass"), "not valid UTF-8"),
        (b'{"a":' + b"[" * 200_000, "nested too deeply"),
    ],
)
def test_a_bad_body_is_a_clear_400_before_anything_else(body: bytes, says: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        wire.from_bytes(body)
    assert says in refused.value.message


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
FIELD = st.sampled_from([*fields.MESSAGES, "prompt", "temperature", "x"])


@given(st.dictionaries(FIELD, JSON))
def test_whatever_comes_is_a_request_or_a_typed_refusal(body: dict[str, Any]) -> None:
    for check in (messages.request, messages.count_request, messages.prompt_request):
        status, cost = 400, 0
        try:
            cost = check(body).worst_cost
        except KitError as err:
            status = err.status
        assert 400 <= status < 500
        assert cost >= 0


@given(st.binary())
def test_whatever_bytes_come_are_json_or_a_typed_refusal(body: bytes) -> None:
    with suppress(InvalidRequest):
        assert isinstance(wire.from_bytes(body), dict)


def test_a_prompt_is_the_shortest_request() -> None:
    request = messages.prompt_request({"prompt": "hi", "system": "be brief"})
    assert request.body == {
        "model": "claude-haiku-5-5",
        "max_tokens": 512,
        "messages": [{"role": "user", "content": "hi"}],
        "system": "be brief",
    }


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "prompt: field required"),
        ({"prompt": " "}, "prompt: must be a string with text"),
        ({"prompt": "x", "max_tokens": 1_025}, "POST /v1/messages"),
        ({"prompt": "x", "messages": []}, "messages: no such field"),
    ],
)
def test_a_bad_prompt_is_refused_with_what_to_do(body: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        messages.prompt_request(body)
    assert says in refused.value.message


def test_the_worst_cost_bounds_text_by_its_bytes_and_pictures_by_the_window() -> None:
    text = messages.request(GOOD | {"messages": [{"role": "user", "content": "é" * 1_000}]})
    assert text.worst_cost >= text.model.cost(Usage(input_tokens=2_000, output_tokens=100))
    picture = messages.request(GOOD | content(IMAGE))
    window = picture.model.max_input_tokens
    assert picture.worst_cost == picture.model.cost(
        Usage(input_tokens=window, output_tokens=100, in_us=True)
    )


@pytest.mark.parametrize(("ttl", "times"), [("5m", 1.25), ("1h", 2)])
def test_a_request_that_writes_the_cache_is_bounded_by_what_its_write_costs(
    ttl: str, times: float
) -> None:
    text = [{"type": "text", "text": "x" * 100_000}]
    plain = messages.request(GOOD | {"model": "deep", "system": text})
    marked = [text[0] | {"cache_control": {"type": "ephemeral", "ttl": ttl}}]
    caching = messages.request(GOOD | {"model": "deep", "system": marked})
    output = 100 * 20_000
    read = plain.model.cost(Usage(input_tokens=len(caching.wire) + 4_096))
    assert caching.worst_cost == (read * times + output) * 11 / 10


LONG = "A long document that is asked about again and again. " * 400


def test_a_long_prompt_is_marked_for_the_cache_whole_and_for_five_minutes() -> None:
    request = messages.request(GOOD | {"system": LONG})
    assert request.cacheable
    cached = request.cached()
    assert json.loads(cached.wire) == request.body | {"cache_control": {"type": "ephemeral"}}
    assert cached.worst_cost >= request.model.cost(Usage(cache_write_5m_tokens=len(cached.wire)))
    # Reserved before it is known whether the client wishes it: enough either way.
    assert request.worst_cost >= request.model.cost(Usage(cache_write_5m_tokens=len(cached.wire)))


@pytest.mark.parametrize(
    ("model", "size", "cacheable"),
    [
        *(("fast", 15_000, False), ("fast", 17_000, True)),
        *(("balanced", 3_000, False), ("balanced", 5_000, True)),
        *(("deep", 1_500, False), ("deep", 2_500, True)),
    ],
)
def test_each_model_has_its_shortest_prompt_worth_marking(
    model: str, size: int, cacheable: bool
) -> None:
    request = messages.request(GOOD | {"model": model, "system": "x" * size})
    assert request.cacheable is cacheable


def test_what_the_caller_marked_itself_is_left_alone() -> None:
    marked = [{"type": "text", "text": LONG, "cache_control": {"type": "ephemeral"}}]
    assert not messages.request(GOOD | {"system": marked}).cacheable


ANSWER = {
    "type": "message",
    "content": [
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "text", "text": "Hello "},
        {"type": "tool_use", "id": "t", "name": "look", "input": {}},
        {"type": "text", "text": "there"},
    ],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 1, "output_tokens": 2},
}


def test_the_text_of_an_answer_is_its_text_blocks_wherever_they_stand() -> None:
    assert Reply.from_bytes(json.dumps(ANSWER).encode()).text == "Hello there"


@pytest.mark.parametrize("blocks", [[], None])
def test_an_answer_without_content_is_an_empty_text(blocks: object) -> None:
    assert Reply.from_bytes(json.dumps(ANSWER | {"content": blocks}).encode()).text == ""


@pytest.mark.parametrize(
    "body",
    [
        b"<html>busy</html>",
        json.dumps(ANSWER).encode()[:-20],
        json.dumps(ANSWER | {"stop_reason": None}).encode(),
        b'{"type": "completion"}',
        b"[]",
    ],
)
def test_a_partial_or_foreign_answer_is_never_a_whole_one(body: bytes) -> None:
    with pytest.raises(AnswerLost) as lost:
        Reply.from_bytes(body)
    assert lost.value.may_be_billed
