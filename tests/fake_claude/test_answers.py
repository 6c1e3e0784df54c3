"""What an answer holds and costs: the numbers that budgets and prices are tested with."""

import json
from typing import Any

import anthropic
import httpx2
import pytest

from local.fake_claude import schema, tokens
from local.fake_claude.inprocess import Fake
from tests.fake_claude.conftest import MODEL, ask

LONG = "All of it is relevant. " * 200  # over the 512 tokens below which nothing is cached
MARK = {"cache_control": {"type": "ephemeral"}}


def usage_of(http: httpx2.Client, **fields: Any) -> dict[str, Any]:
    answer = http.post("/v1/messages", json=ask(**fields))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["usage"]
    return found


def test_output_tokens_are_the_deltas_of_the_same_answer_streamed(
    sdk: anthropic.Anthropic,
) -> None:
    message = sdk.messages.create(**ask())
    with sdk.messages.create(**ask(), stream=True) as stream:
        deltas = sum(event.type == "content_block_delta" for event in stream)
    assert message.usage.output_tokens == deltas


@pytest.mark.parametrize("most", [1, 5, 20])
def test_max_tokens_cuts_an_answer_and_says_so(sdk: anthropic.Anthropic, most: int) -> None:
    message: Any = sdk.messages.create(**ask(max_tokens=most))
    assert message.stop_reason == "max_tokens"
    assert message.usage.output_tokens == most
    whole: Any = sdk.messages.create(**ask())
    assert whole.content[0].text.startswith(message.content[0].text)


def test_max_tokens_of_zero_fills_the_cache_and_says_nothing(
    fake: Fake, http: httpx2.Client
) -> None:
    warm = usage_of(http, max_tokens=0, system=LONG, cache_control={"type": "ephemeral"})
    assert warm["output_tokens"] == 0
    assert warm["cache_creation_input_tokens"] > 0
    assert fake.stats()["billed"]["completions"] == 0
    assert fake.stats()["billed"]["cache_creation_input_tokens"] > 0


def test_a_stop_sequence_of_the_caller_ends_the_text_before_it(sdk: anthropic.Anthropic) -> None:
    message: Any = sdk.messages.create(**ask(stop_sequences=["nowhere", " sky"]))
    assert (message.stop_reason, message.stop_sequence) == ("stop_sequence", " sky")
    assert message.content[0].text.endswith("Why is the")


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"system": "Be brief."},
        {"system": [{"type": "text", "text": "Be brief.", **MARK}]},
        {"tools": [{"name": "t", "input_schema": {"type": "object"}}]},
        {"messages": [{"role": "user", "content": [{"type": "image", "source": {}}]}]},
        {"messages": [{"role": "user", "content": [{"type": "document", "source": {}}]}]},
        {"system": LONG, "cache_control": {"type": "ephemeral"}},
    ],
    ids=lambda fields: str(fields)[:50],
)
def test_the_prompt_is_as_long_as_count_tokens_says_however_it_is_paid(
    sdk: anthropic.Anthropic, fields: dict[str, Any]
) -> None:
    request = {**ask(), **fields}
    usage = sdk.messages.create(**request).usage
    counted = sdk.messages.count_tokens(
        **{name: value for name, value in request.items() if name != "max_tokens"}
    )
    cached = (usage.cache_creation_input_tokens or 0) + (usage.cache_read_input_tokens or 0)
    assert usage.input_tokens + cached == counted.input_tokens > 0


def test_a_token_is_four_bytes_of_prompt() -> None:
    assert [tokens.estimate(text) for text in ("", "a", "abcd", "abcde", "ä€")] == [0, 1, 1, 2, 2]


@pytest.mark.parametrize("text", ["", "a b", "  spaced   out \n\n", "x" * 100, "日本語 テキスト"])
def test_the_tokens_of_a_text_join_to_the_text(text: str) -> None:
    assert "".join(tokens.pieces(text)) == text


def test_a_marked_prefix_is_written_once_and_then_read(http: httpx2.Client) -> None:
    system = [{"type": "text", "text": LONG, **MARK}]
    first = usage_of(http, system=system)
    second = usage_of(http, text="And the sea?", system=system)
    size = tokens.estimate(LONG)
    assert (first["cache_creation_input_tokens"], first["cache_read_input_tokens"]) == (size, 0)
    assert (second["cache_creation_input_tokens"], second["cache_read_input_tokens"]) == (0, size)
    assert second["input_tokens"] == tokens.estimate("And the sea?")


def test_each_lifetime_of_the_cache_is_counted_apart_because_it_is_priced_apart(
    http: httpx2.Client,
) -> None:
    hour = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    system = [{"type": "text", "text": LONG, **hour}, {"type": "text", "text": "More. ", **MARK}]
    usage = usage_of(http, system=system)
    assert usage["cache_creation"] == {
        "ephemeral_5m_input_tokens": tokens.estimate("More. "),
        "ephemeral_1h_input_tokens": tokens.estimate(LONG),
    }


def test_a_growing_conversation_reads_what_it_wrote_the_turn_before(http: httpx2.Client) -> None:
    auto = {"cache_control": {"type": "ephemeral"}}
    talk = [{"role": "user", "content": LONG}]
    first = usage_of(http, messages=talk, **auto)
    talk += [{"role": "assistant", "content": "Yes."}, {"role": "user", "content": "Go on."}]
    second = usage_of(http, messages=talk, **auto)
    assert second["cache_read_input_tokens"] == first["cache_creation_input_tokens"] > 0
    assert second["cache_creation_input_tokens"] > 0
    assert second["input_tokens"] == 0


@pytest.mark.parametrize(
    "change", [{"model": "claude-opus-5-5"}, {"system": [{"type": "text", "text": LONG + "!"}]}]
)
def test_another_model_or_prefix_reads_nothing(http: httpx2.Client, change: dict[str, Any]) -> None:
    system = [{"type": "text", "text": LONG, **MARK}]
    usage_of(http, system=system)
    assert usage_of(http, **{"system": system, **change})["cache_read_input_tokens"] == 0


def test_a_short_prefix_is_silently_not_cached(http: httpx2.Client) -> None:
    usage = usage_of(http, cache_control={"type": "ephemeral"})
    assert usage["cache_creation_input_tokens"] == 0


@pytest.mark.parametrize(
    ("wanted", "value"),
    [
        ({"type": "string"}, "fake"),
        ({"type": "string", "format": "date"}, "2026-01-01"),
        ({"type": "string", "minLength": 6, "maxLength": 6}, "fakexx"),
        ({"type": "integer"}, 1),
        ({"type": "integer", "minimum": 5, "multipleOf": 4}, 8),
        ({"type": "integer", "maximum": -3}, -3),
        ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}, 0.5),
        ({"type": "boolean"}, True),
        ({"type": "null"}, None),
        ({"type": ["null", "integer"]}, 1),
        ({"type": "array", "items": {"type": "integer"}}, [1]),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 2}, [1, 1]),
        ({"enum": ["simple", "hard"]}, "simple"),
        ({"const": {"a": 1}}, {"a": 1}),
        ({"anyOf": [{"type": "boolean"}, {"type": "string"}]}, True),
        ({"allOf": [{"properties": {"a": {"type": "null"}}}, {"type": "object"}]}, {"a": None}),
        ({"$ref": "#/$defs/x", "$defs": {"x": {"const": 7}}}, 7),
        ({"type": "object", "properties": {"a": {"type": "object"}}}, {"a": {}}),
        ({}, "fake"),
    ],
    ids=str,
)
def test_a_value_fits_its_schema(wanted: dict[str, Any], value: object) -> None:
    assert schema.fit(wanted) == value


def test_a_schema_that_holds_itself_comes_to_an_end() -> None:
    tree = {
        "$ref": "#/$defs/tree",
        "$defs": {
            "tree": {
                "type": "object",
                "properties": {
                    "branches": {"type": "array", "items": {"$ref": "#/$defs/tree"}},
                    "next": {"anyOf": [{"$ref": "#/$defs/tree"}, {"type": "null"}]},
                },
                "required": ["branches"],
            }
        },
    }
    assert "branches" in schema.fit(tree)


def test_a_classification_follows_the_prompt_so_that_each_route_can_be_tested(
    http: httpx2.Client,
) -> None:
    intents = {"enum": ["chat", "code", "analysis"]}
    form = {"type": "object", "properties": {"intent": intents}, "additionalProperties": False}
    config = {"format": {"type": "json_schema", "schema": form}}
    for text, intent in [("This is about Code.", "code"), ("Who knows?", "chat")]:
        answer = http.post("/v1/messages", json=ask(text, output_config=config)).json()
        assert json.loads(answer["content"][0]["text"]) == {"intent": intent}


def test_success_carries_the_headers_of_the_real_api(http: httpx2.Client) -> None:
    first = http.post("/v1/messages", json=ask()).headers
    second = http.post("/v1/messages", json=ask()).headers
    for name in ("requests", "input-tokens", "output-tokens", "tokens"):
        left, limit = (
            int(first[f"anthropic-ratelimit-{name}-{w}"]) for w in ("remaining", "limit")
        )
        assert limit >= left > 0
        assert first[f"anthropic-ratelimit-{name}-reset"].endswith("Z")
    assert first["anthropic-organization-id"] == second["anthropic-organization-id"]
    assert first["request-id"] != second["request-id"]


def test_thinking_is_paid_for_but_shown_only_on_request(sdk: anthropic.Anthropic) -> None:
    prompt = "[[fake: thinking thought='deep thoughts']] hello"
    plain: Any = sdk.messages.create(**ask(prompt))
    shown: Any = sdk.messages.create(
        **ask(prompt), thinking={"type": "adaptive", "display": "summarized"}
    )
    assert [plain.content[0].thinking, shown.content[0].thinking] == ["", "deep thoughts"]
    assert plain.usage == shown.usage
    assert plain.usage.output_tokens_details.thinking_tokens == 2


def test_thinking_counts_toward_max_tokens(sdk: anthropic.Anthropic) -> None:
    message = sdk.messages.create(**ask("[[fake: thinking]] hello", max_tokens=3))
    assert [block.type for block in message.content] == ["thinking"]
    assert message.stop_reason == "max_tokens"


def test_every_model_answers_under_its_own_name(http: httpx2.Client) -> None:
    for model in ("claude-sonnet-5-5", "claude-opus-5-5", "claude-fable-5-1", MODEL):
        answer = http.post("/v1/messages", json=ask(model=model)).json()
        assert answer["model"] == model
