"""Thoughts that come back: read by the model that has had them, if nothing before has changed."""

import base64
from typing import Any

import anthropic
import pytest

from tests.fake_claude.conftest import MODEL, ask

SONNET = "claude-sonnet-5-5"
MORE = "[[fake: thinking]] And why?"
TOOL = {"name": "look", "input_schema": {"type": "object"}}
DROP = {"type": "adaptive", "block_binding": {"prefix_mismatch_behavior": "drop_block"}}
BETA = {"anthropic-beta": "thinking-binding-controls-2026-08-01"}


def talk(sdk: anthropic.Anthropic, model: str = SONNET, turns: int = 2) -> dict[str, Any]:
    """A conversation of thoughtful answers, all sent back as they came, and a next question."""
    shown = {"type": "adaptive", "display": "summarized"}
    body = ask(MORE, model=model, system="Be brief.", tools=[TOOL], thinking=shown)
    for _ in range(turns):
        said = [block.to_dict() for block in sdk.messages.create(**body).content]
        assert [block["type"] for block in said] == ["thinking", "text"]
        body["messages"] += [{"role": "assistant", "content": said}]
        body["messages"] += [{"role": "user", "content": MORE}]
    return body


def test_what_is_sent_back_as_it_came_is_read(sdk: anthropic.Anthropic) -> None:
    assert sdk.messages.create(**talk(sdk)).stop_reason == "end_turn"


def test_a_stream_signs_them_too(sdk: anthropic.Anthropic) -> None:
    body = ask(MORE)
    with sdk.messages.stream(**body) as stream:
        said = [block.to_dict() for block in stream.get_final_message().content]
    body["messages"] += [{"role": "assistant", "content": said}, {"role": "user", "content": "?"}]
    assert sdk.messages.create(**body).stop_reason == "end_turn"
    body["messages"][0]["content"] = "Why not?"
    with pytest.raises(anthropic.BadRequestError, match="bound to a different conversation"):
        sdk.messages.create(**body)


def edited(body: dict[str, Any], change: str) -> dict[str, Any]:
    messages = body["messages"]
    match change:
        case "system":
            return body | {"system": "Be long."}
        case "tools":
            return body | {"tools": [TOOL, TOOL | {"name": "listen"}]}
        case "an earlier question":
            messages = [{"role": "user", "content": "What?"}, *messages[1:]]
        case "the history's beginning":
            messages = messages[2:]
        case "a thought before it":
            answer = messages[1] | {"content": messages[1]["content"][1:]}
            messages = [messages[0], answer, *messages[2:]]
    return body | {"messages": messages}


@pytest.mark.parametrize(
    "change",
    ["system", "tools", "an earlier question", "the history's beginning", "a thought before it"],
)
def test_one_before_which_something_has_changed_is_refused_or_left_out_on_request(
    sdk: anthropic.Anthropic, change: str
) -> None:
    body = edited(talk(sdk), change)
    with pytest.raises(anthropic.BadRequestError) as refused:
        sdk.messages.create(**body)
    assert "The block is bound to a different conversation." in str(refused.value)
    body["thinking"] = DROP
    with pytest.raises(anthropic.BadRequestError):
        sdk.messages.create(**body)
    answer: Any = sdk.messages.create(**body, extra_headers=BETA)
    assert answer.stop_reason == "end_turn"


def test_marks_for_the_cache_and_the_form_of_a_text_change_nothing(
    sdk: anthropic.Anthropic,
) -> None:
    body = talk(sdk)
    text = {"type": "text", "text": MORE, "cache_control": {"type": "ephemeral"}}
    body["messages"][2] = {"role": "user", "content": [text]}
    assert sdk.messages.create(**body).stop_reason == "end_turn"


DEEP = base64.b64encode(b"[" * 20_000).decode()


@pytest.mark.parametrize("signature", ["made up", "", "bnVsbA==", "WzFd", DEEP], ids=len)
def test_what_no_one_has_signed_is_refused(sdk: anthropic.Anthropic, signature: str) -> None:
    body = talk(sdk)
    body["messages"][1]["content"][0]["signature"] = signature
    with pytest.raises(anthropic.BadRequestError) as refused:
        sdk.messages.create(**body)
    told = refused.value.response.json()["error"]["message"]
    assert told == "messages.1.content.0: Invalid `signature` in `thinking` block"


def test_another_models_are_left_out_and_cost_nothing(sdk: anthropic.Anthropic) -> None:
    """Whatever has changed before them; but those of the small model are read by all."""
    body = edited(talk(sdk), "system") | {"model": "claude-opus-5-5"}
    bare = [
        one if one["role"] == "user" else one | {"content": one["content"][1:]}
        for one in body["messages"]
    ]
    with_them, without = (
        sdk.messages.create(**body | {"messages": said}).usage.input_tokens
        for said in (body["messages"], bare)
    )
    assert with_them == without
    small = edited(talk(sdk, MODEL), "system") | {"model": SONNET}
    with pytest.raises(anthropic.BadRequestError, match="bound to a different conversation"):
        sdk.messages.create(**small)
