"""The unmodified official SDK works against the fake, so that tests of the kit mean something."""

import asyncio
from typing import Any, Literal

import anthropic
import pydantic
import pytest

from local.fake_claude.inprocess import Fake
from tests.fake_claude.conftest import KEY, MODEL, ask

TOOL: Any = {
    "name": "get_weather",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 2}},
        "required": ["city"],
    },
}


class Place(pydantic.BaseModel):
    name: str
    inhabitants: int
    kind: Literal["village", "city"]
    near: list["Place"] | None = None


def test_an_answer_says_it_is_the_fake_and_what_was_asked(sdk: anthropic.Anthropic) -> None:
    message = sdk.messages.create(**ask())
    (block,) = message.content
    assert block.type == "text"
    assert "fake Claude" in block.text
    assert "Why is the sky blue?" in block.text
    assert message.stop_reason == "end_turn"
    assert message.model == MODEL
    assert message._request_id is not None


def test_the_same_question_gets_the_same_words_so_that_tests_can_compare(
    sdk: anthropic.Anthropic,
) -> None:
    first, second = (sdk.messages.create(**ask()) for _ in range(2))
    assert first.content == second.content
    assert first.id != second.id


def test_a_stream_adds_up_to_the_same_message(sdk: anthropic.Anthropic) -> None:
    whole = sdk.messages.create(**ask())
    with sdk.messages.stream(**ask()) as stream:
        text = "".join(stream.text_stream)
        message = stream.get_final_message()
    assert [block.to_dict() for block in message.content] == [{"type": "text", "text": text}]
    assert message.content[0].to_dict() == whole.content[0].to_dict()
    assert message.stop_reason == whole.stop_reason
    assert message.usage.to_dict() == whole.usage.to_dict()


def test_raw_events_come_in_the_order_of_the_real_api(sdk: anthropic.Anthropic) -> None:
    with sdk.messages.create(**ask(max_tokens=2), stream=True) as stream:
        kinds = [event.type for event in stream]
    deltas = ["content_block_delta"] * 2
    ends = ["content_block_stop", "message_delta", "message_stop"]
    assert kinds == ["message_start", "content_block_start", *deltas, *ends]


def test_the_async_client_works_in_the_same_ways(fake: Fake) -> None:
    async def use() -> None:
        async with anthropic.AsyncAnthropic(base_url=fake.url, api_key=KEY) as client:
            message = await client.messages.create(**ask())
            assert message.stop_reason == "end_turn"
            async with client.messages.stream(**ask()) as stream:
                streamed = await stream.get_final_message()
            assert streamed.usage == message.usage
            counted = await client.messages.count_tokens(model=MODEL, messages=ask()["messages"])
            assert counted.input_tokens == message.usage.input_tokens
            assert [model.id async for model in client.models.list()]

    asyncio.run(use())


def test_parse_gives_an_object_of_the_class_asked_for(sdk: anthropic.Anthropic) -> None:
    parsed = sdk.messages.parse(**ask(max_tokens=2_000), output_format=Place).parsed_output
    assert isinstance(parsed, Place)
    assert parsed.near


def test_parse_works_on_a_stream_too(sdk: anthropic.Anthropic) -> None:
    with sdk.messages.stream(**ask("a city", max_tokens=2_000), output_format=Place) as stream:
        parsed = stream.get_final_message().parsed_output
    assert isinstance(parsed, Place)
    assert parsed.kind == "city"  # an enum follows the prompt where it names a value


def test_tools_are_left_alone_unless_the_prompt_names_one(sdk: anthropic.Anthropic) -> None:
    message = sdk.messages.create(**ask("What is the weather?"), tools=[TOOL])
    assert [block.type for block in message.content] == ["text"]


@pytest.mark.parametrize("streaming", [False, True])
def test_a_tool_named_in_the_prompt_is_called_with_a_fitting_input(
    sdk: anthropic.Anthropic, streaming: bool
) -> None:
    request = ask("Please use tool get_weather.", tools=[TOOL])
    if streaming:
        with sdk.messages.stream(**request) as stream:
            message: Any = stream.get_final_message()
    else:
        message = sdk.messages.create(**request)
    (block,) = message.content
    assert (message.stop_reason, block.type, block.name) == ("tool_use", "tool_use", "get_weather")
    assert isinstance(block.input["city"], str)
    assert block.input["days"] >= 2


def test_a_tools_result_ends_the_loop(sdk: anthropic.Anthropic) -> None:
    request = ask("use tool get_weather", tools=[TOOL])
    call: Any = sdk.messages.create(**request)
    result = {"type": "tool_result", "tool_use_id": call.content[0].id, "content": "14 degrees"}
    request["messages"] += [
        {"role": "assistant", "content": [block.to_dict() for block in call.content]},
        {"role": "user", "content": [result]},
    ]
    message: Any = sdk.messages.create(**request)
    assert message.stop_reason == "end_turn"
    assert "14 degrees" in message.content[0].text


def test_models_are_listed_without_retired_ones_unless_asked_for(sdk: anthropic.Anthropic) -> None:
    listed = list(sdk.models.list())
    assert [model.id for model in listed] == [
        "claude-haiku-5-5",
        "claude-sonnet-5-5",
        "claude-opus-5-5",
        "claude-fable-5-1",
    ]
    assert {(m.lifecycle, m.max_input_tokens, m.max_tokens) for m in listed} == {
        ("active", 1_000_000, 128_000)
    }
    (retired,) = sdk.models.list(lifecycle=["retired"])
    assert (retired.id, retired.lifecycle) == ("claude-sonnet-4-20250514", "retired")


@pytest.mark.parametrize("size", [1, 2, 4, 5])
def test_model_pages_join_to_the_whole_list(sdk: anthropic.Anthropic, size: int) -> None:
    everything = sdk.models.list(lifecycle=["active", "retired"], limit=size)
    assert len({model.id for model in everything}) == 5


def test_a_model_page_can_be_read_backwards(sdk: anthropic.Anthropic) -> None:
    before = sdk.models.list(before_id="claude-fable-5-1", limit=2)
    assert [model.id for model in before.data] == ["claude-sonnet-5-5", "claude-opus-5-5"]
    assert before.has_more


def test_one_model_can_be_retrieved_and_an_unknown_one_is_a_404(sdk: anthropic.Anthropic) -> None:
    model = sdk.models.retrieve("claude-haiku-5-5")
    assert model.created_at.isoformat() == "2026-10-07T00:00:00+00:00"
    assert model.capabilities is not None
    assert not model.capabilities.thinking.types.enabled.supported
    assert sdk.models.retrieve("claude-sonnet-4-20250514").lifecycle == "retired"
    with pytest.raises(anthropic.NotFoundError):
        sdk.models.retrieve("claude-9")


def test_the_beta_client_works_with_fields_that_only_it_knows(sdk: anthropic.Anthropic) -> None:
    message = sdk.beta.messages.create(
        **ask(), betas=["context-management-2025-06-27"], context_management={"edits": []}
    )
    assert message.stop_reason == "end_turn"
