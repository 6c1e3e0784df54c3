"""Each way to misbehave, as the official client sees it: what the kit's error handling rests on."""

import json
from collections.abc import Callable
from typing import Any

import anthropic
import httpx2
import pytest

from local.fake_claude.behaviours import BEHAVIOURS
from local.fake_claude.inprocess import Fake
from tests.fake_claude.conftest import ask

Error = type[Exception]

REFUSALS: dict[str, tuple[int, str, Error]] = {
    "bad_request": (400, "invalid_request_error", anthropic.BadRequestError),
    "unauthenticated": (401, "authentication_error", anthropic.AuthenticationError),
    "billing": (402, "billing_error", anthropic.APIStatusError),
    "forbidden": (403, "permission_error", anthropic.PermissionDeniedError),
    "not_found": (404, "not_found_error", anthropic.NotFoundError),
    "too_large": (413, "request_too_large", anthropic.APIStatusError),
    "rate_limited": (429, "rate_limit_error", anthropic.RateLimitError),
    "spend_cap": (429, "rate_limit_error", anthropic.RateLimitError),
    "server_error": (500, "api_error", anthropic.InternalServerError),
    "unavailable": (503, "api_error", anthropic.InternalServerError),
    "timed_out": (504, "timeout_error", anthropic.InternalServerError),
    "overloaded": (529, "overloaded_error", anthropic.InternalServerError),
}
ENDINGS: dict[str, tuple[str, list[str]]] = {
    "answer": ("end_turn", ["text"]),
    "empty": ("end_turn", []),
    "thinking": ("end_turn", ["thinking", "text"]),
    "unknown_fields": ("end_turn", ["text"]),
    "end_turn": ("end_turn", ["text"]),
    "max_tokens": ("max_tokens", ["text"]),
    "stop_sequence": ("stop_sequence", ["text"]),
    "tool_use": ("tool_use", ["text", "tool_use"]),
    "pause_turn": ("pause_turn", ["text"]),
    "refusal": ("refusal", ["text"]),
    "model_context_window_exceeded": ("model_context_window_exceeded", ["text"]),
    "trickle": ("end_turn", ["text"]),
}
# What the SDK raises without a stream, and with one; None is a stream that seems to end well.
BROKEN: dict[str, tuple[Error | str, Error | None]] = {
    "html": ("<!doctype html>", AssertionError),
    "truncated": (json.JSONDecodeError, None),
    "malformed_sse": (json.JSONDecodeError, json.JSONDecodeError),
    "stream_error": (anthropic.InternalServerError, anthropic.APIStatusError),
    "cut": ("stop_reason=None", None),
    "reset": (anthropic.APIConnectionError, anthropic.APIConnectionError),
    "hang": (anthropic.APIConnectionError, anthropic.APIConnectionError),
    "ping_only": (anthropic.APIConnectionError, AssertionError),
}
QUICK: dict[str, dict[str, Any]] = {
    "hang": {"for_s": 0.05},
    "ping_only": {"for_s": 0.05, "every_ms": 10},
    "trickle": {"every_ms": 0},
}


def scripted(fake: Fake, name: str, **params: Any) -> dict[str, Any]:
    fake.plan([{"name": name, **QUICK.get(name, {}), **params}])
    return ask()


def streamed(sdk: anthropic.Anthropic, request: dict[str, Any]) -> Any:
    with sdk.messages.stream(**request) as stream:
        return stream.get_final_message()


def ways(sdk: anthropic.Anthropic) -> list[Callable[[dict[str, Any]], Any]]:
    return [lambda request: sdk.messages.create(**request), lambda request: streamed(sdk, request)]


def test_every_behaviour_is_tested_here_or_with_those_who_wait() -> None:
    assert {*REFUSALS, *ENDINGS, *BROKEN, "hold"} == set(BEHAVIOURS)


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_every_behaviour_says_what_it_does_and_what_it_takes(
    http: httpx2.Client, name: str
) -> None:
    row = http.get("/_fake/behaviours").json()[name]
    assert row["about"].endswith(".")
    assert row["params"] == dict(BEHAVIOURS[name].params)


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_comes_at_once_streaming_or_not_and_is_not_billed(
    fake: Fake, sdk: anthropic.Anthropic, name: str
) -> None:
    status, kind, error = REFUSALS[name]
    for call in ways(sdk):
        with pytest.raises(error) as refused:
            call(scripted(fake, name))
        assert isinstance(refused.value, anthropic.APIStatusError)
        assert (refused.value.status_code, refused.value.type) == (status, kind)
    assert fake.stats()["billed"]["completions"] == 0


@pytest.mark.parametrize("name", ENDINGS)
def test_an_answer_ends_as_it_was_told_to_streaming_or_not(
    fake: Fake, sdk: anthropic.Anthropic, name: str
) -> None:
    reason, kinds = ENDINGS[name]
    whole, streamed = [call(scripted(fake, name)) for call in ways(sdk)]
    for message in (whole, streamed):
        assert message.stop_reason == reason
        assert [block.type for block in message.content] == kinds
        assert message.usage.output_tokens > 0
    assert whole.usage.output_tokens == streamed.usage.output_tokens
    assert fake.stats()["billed"]["completions"] == 2
    assert fake.stats()["billed"]["output_tokens"] == 2 * whole.usage.output_tokens


@pytest.mark.parametrize("name", BROKEN)
def test_what_breaks_without_a_stream_breaks_as_the_kit_must_expect(
    fake: Fake, sdk: anthropic.Anthropic, name: str
) -> None:
    expected, request = BROKEN[name][0], scripted(fake, name)
    if isinstance(expected, str):
        assert expected in str(sdk.messages.create(**request))
    else:
        with pytest.raises(expected):
            sdk.messages.create(**request)


@pytest.mark.parametrize("name", BROKEN)
def test_what_breaks_in_a_stream_breaks_as_the_kit_must_expect(
    fake: Fake, sdk: anthropic.Anthropic, name: str
) -> None:
    expected, request = BROKEN[name][1], scripted(fake, name)
    if expected is None:
        assert streamed(sdk, request).stop_reason is None
    else:
        with pytest.raises(expected):
            streamed(sdk, request)


def test_overload_in_mid_stream_has_status_200_and_only_its_type_tells(
    fake: Fake, sdk: anthropic.Anthropic
) -> None:
    seen: list[str] = []
    request = scripted(fake, "stream_error", after=2)
    with (
        pytest.raises(anthropic.APIStatusError) as failed,
        sdk.messages.stream(**request) as stream,
    ):
        seen.extend(stream.text_stream)
    assert len(seen) == 2
    assert (failed.value.status_code, failed.value.type) == (200, "overloaded_error")
    assert fake.stats()["billed"]["output_tokens"] == 2


@pytest.mark.parametrize("name", ["cut", "reset", "hang", "malformed_sse"])
@pytest.mark.parametrize("after", [0, 1, 4])
def test_a_stream_breaks_after_exactly_so_many_deltas_and_those_are_billed(
    fake: Fake, sdk: anthropic.Anthropic, name: str, after: int
) -> None:
    deltas = 0
    request = scripted(fake, name, after=after)
    try:
        with sdk.messages.create(**request, stream=True) as stream:
            for event in stream:
                deltas += event.type == "content_block_delta"
    except (httpx2.HTTPError, json.JSONDecodeError):
        assert name != "cut"
    else:
        assert name == "cut"
    stats = fake.wait(in_flight_at_most=0)
    assert deltas == stats["billed"]["output_tokens"] == after
    assert stats["billed"]["completions"] == int(after > 0)


@pytest.mark.parametrize(
    "given",
    ["0", "86400", "-5", "0.5", "soon", "Wed, 21 Oct 2099 07:28:00 GMT", 30, None],
)
def test_retry_after_is_whatever_the_script_says_byte_for_byte(
    fake: Fake, http: httpx2.Client, given: str | int | None
) -> None:
    fake.plan([{"name": "rate_limited", "retry_after": given}])
    answer = http.post("/v1/messages", json=ask())
    assert answer.status_code == 429
    assert answer.headers.get("retry-after") == (None if given is None else str(given))
    assert answer.headers["anthropic-ratelimit-requests-remaining"] == "0"


def test_other_retry_headers_and_words_can_be_scripted_too(fake: Fake, http: httpx2.Client) -> None:
    fake.plan(
        [
            {
                "name": "server_error",
                "status": 502,
                "type": "strange_error",
                "message": "oh",
                "retry_after_ms": 1500,
                "should_retry": "false",
            }
        ]
    )
    answer = http.post("/v1/messages", json=ask())
    assert answer.status_code == 502
    assert answer.json()["error"] == {"type": "strange_error", "message": "oh"}
    assert answer.headers["retry-after-ms"] == "1500"
    assert answer.headers["x-should-retry"] == "false"


def test_a_spend_cap_has_a_code_and_no_retry_after_because_waiting_does_not_help(
    fake: Fake, sdk: anthropic.Anthropic
) -> None:
    with pytest.raises(anthropic.RateLimitError) as refused:
        sdk.messages.create(**scripted(fake, "spend_cap"))
    assert refused.value.error_code == "enforced_spend_limit_reached"
    assert "retry-after" not in refused.value.response.headers


def test_the_retries_of_the_sdk_itself_see_each_scripted_answer(fake: Fake) -> None:
    fake.plan(["rate_limited retry_after=0.01", "overloaded retry_after=0.01", "answer"])
    key = "sk-ant-x"
    with anthropic.Anthropic(base_url=fake.url, api_key=key, max_retries=2) as sdk:
        assert sdk.messages.create(**ask()).stop_reason == "end_turn"
    assert fake.stats()["calls"]["POST /v1/messages"]["by_status"] == {
        "429": 1,
        "529": 1,
        "200": 1,
    }


def test_a_refusal_in_mid_answer_keeps_its_text_and_names_its_category(
    fake: Fake, sdk: anthropic.Anthropic
) -> None:
    message = sdk.messages.create(**scripted(fake, "refusal", category="cyber"))
    assert message.stop_details is not None
    assert message.stop_details.category == "cyber"
    assert message.content


def test_fields_and_events_from_the_future_are_there_for_clients_to_ignore(
    fake: Fake, http: httpx2.Client
) -> None:
    whole = http.post("/v1/messages", json=scripted(fake, "unknown_fields")).json()
    assert "fake_future_field" in whole
    assert "fake_future_tokens" in whole["usage"]
    request = scripted(fake, "unknown_fields") | {"stream": True}
    assert "event: fake_future_event\n" in http.post("/v1/messages", json=request).text


def test_the_scripted_usage_is_what_is_reported_and_what_is_billed(
    fake: Fake, sdk: anthropic.Anthropic
) -> None:
    usage = {"input_tokens": 1_000, "output_tokens": 50_000}
    for call in ways(sdk):
        message = call(scripted(fake, "answer", usage=usage))
        assert (message.usage.input_tokens, message.usage.output_tokens) == (1_000, 50_000)
    billed = fake.stats()["billed"]
    assert (billed["input_tokens"], billed["output_tokens"]) == (2_000, 100_000)


def test_an_answer_that_never_arrives_can_count_as_billed(
    fake: Fake, sdk: anthropic.Anthropic
) -> None:
    with pytest.raises(anthropic.APIConnectionError):
        sdk.messages.create(**scripted(fake, "reset", billed=True))
    assert fake.stats()["billed"]["completions"] == 1


def test_the_text_or_its_length_can_be_scripted(fake: Fake, sdk: anthropic.Anthropic) -> None:
    said: Any = sdk.messages.create(**scripted(fake, "answer", text="so be it"))
    assert said.content[0].text == "so be it"
    counted = sdk.messages.create(**{**scripted(fake, "answer", tokens=500), "max_tokens": 900})
    assert counted.usage.output_tokens == 500
    bounded = sdk.messages.create(**scripted(fake, "answer", tokens=10**12))
    assert (bounded.usage.output_tokens, bounded.stop_reason) == (200, "max_tokens")


def test_counting_tokens_can_go_wrong_in_the_same_ways(sdk: anthropic.Anthropic) -> None:
    def count(text: str) -> object:
        return sdk.messages.count_tokens(model=ask()["model"], messages=ask(text)["messages"])

    with pytest.raises(anthropic.InternalServerError):
        count("[[fake: overloaded]]")
    with pytest.raises(json.JSONDecodeError):
        count("[[fake: truncated]]")
    with pytest.raises(anthropic.APIConnectionError):
        count("[[fake: reset]]")
    assert count("[[fake: cut]]")
