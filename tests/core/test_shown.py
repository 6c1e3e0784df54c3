"""A routed answer's events on their way out: explained, and passed on whatever they look like."""

import json
from typing import Any

import pytest

from claude_core.reply import Reply
from claude_core.routes import Table
from claude_core.routing.choice import Choice, Reason
from claude_core.routing.shown import Shown, explained
from claude_core.sse import Event
from tests.core.routing import FAST

CHOICE = Choice(route=Table.own().default, model=FAST, reason=Reason.UNSURE)


def event(type: str, **data: Any) -> Event:
    full = {"type": type, **data}
    return Event(type, full, f"data: {json.dumps(full)}\n\n".encode())


def test_words_that_no_caller_might_write_pass_as_they_came() -> None:
    """They are paid for: half a letter, and a number beyond all numbers."""
    words = b'[{"type":"text","text":"half \\ud83d a letter"}]'
    said = b'{"type":"message","content":' + words + b',"odd":1e999,"stop_reason":"end_turn"}'
    told = explained(Reply.from_bytes(said + b"\n"), CHOICE)
    assert told.startswith(said[:-1] + b',"route":{')
    assert json.loads(told)["route"]["reason"] == "classified, but not surely"


def test_what_an_answer_came_to_is_its_texts_and_the_calls_of_tools() -> None:
    shown = Shown(CHOICE)
    text = {"type": "text", "text": "Hel"}
    call = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}
    for one in (
        event("message_start", message={"usage": {"input_tokens": 9}}),
        event("content_block_start", index=0, content_block=text),
        event("content_block_delta", index=0, delta={"type": "text_delta", "text": "lo"}),
        event("content_block_start", index=1, content_block=call),
        event("content_block_delta", index=1, delta={"type": "input_json_delta"}),
        event("message_delta", delta={"stop_reason": "tool_use"}, usage={"output_tokens": 5}),
    ):
        shown.event(one)
    ended = shown.ended
    first, second = ended.content
    assert (first["type"], first["text"]) == ("text", "Hello")
    assert (second["type"], second["id"]) == ("tool_use", "toolu_1")
    assert (ended.stop_reason, ended.usage.output_tokens) == ("tool_use", 5)


@pytest.mark.parametrize(
    "odd",
    [
        {"delta": "text"},
        {"delta": ["text"]},
        {"delta": {"text": {}}},
        {"delta": None},
        {"content_block": "text"},
        {"content_block": {"type": "text", "text": 7}},
        {},
    ],
)
def test_events_of_a_shape_that_nobody_knows_pass_as_they_are(odd: dict[str, Any]) -> None:
    shown = Shown(CHOICE)
    for type in ("content_block_delta", "content_block_start", "content_block_delta"):
        one = event(type, **odd)
        assert shown.event(one) is one
    assert isinstance(shown.ended.content, list)
