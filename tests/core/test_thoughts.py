"""A model is given the thoughts that it has had or was given before, and no others."""

from dataclasses import replace
from typing import Any

import pytest

from claude_core.routes import Table
from claude_core.routing.asked import asked
from claude_core.routing.choice import Choice, Last, Reason
from claude_core.routing.thoughts import own_from, setting
from tests.core.routing import BALANCED, FAST

TABLE = Table.own()
CHOICE = Choice(route=TABLE.routes["code"], model=BALANCED, reason=Reason.CLASSIFIED)
THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "s"}
HIDDEN = {"type": "redacted_thinking", "data": "x"}
TOOL = {"name": "look", "input_schema": {"type": "object"}}
BODY: dict[str, Any] = {
    "messages": [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": [THOUGHT, {"type": "text", "text": "b"}]},
        {"role": "user", "content": "c"},
        {"role": "assistant", "content": [HIDDEN, THOUGHT]},
        {"role": "user", "content": "e"},
        {"role": "assistant", "content": [THOUGHT, {"type": "text", "text": "f"}]},
        {"role": "user", "content": "g"},
    ]
}


def last(own: int, body: Any = BODY, choice: Choice = CHOICE) -> Last:
    """An answer whose model was given the thoughts from a message on."""
    return Last(
        route=choice.route,
        model=choice.model,
        setting=setting(choice, body),
        thoughts_from=own,
    )


@pytest.mark.parametrize(("own", "sent"), [(0, [1, 1, 1]), (2, [0, 1, 1]), (5, [0, 1])])
def test_they_go_along_from_where_it_took_over_and_none_in_between_is_missing(
    own: int, sent: list[int]
) -> None:
    body: Any = asked(CHOICE, BODY, {}, last(own)).body
    answers = [one["content"] for one in body["messages"] if one["role"] == "assistant"]
    assert [THOUGHT in content for content in answers] == [bool(one) for one in sent]


def test_an_answer_of_thoughts_alone_goes_with_them() -> None:
    body: Any = asked(CHOICE, BODY, {}).body
    assert [one["content"] for one in body["messages"] if one["role"] == "user"] == [*"aceg"]
    assert "thinking" not in str(body["messages"])


OTHERS = [
    (replace(CHOICE, model=FAST), BODY),
    (replace(CHOICE, route=replace(CHOICE.route, system="Be brief.")), BODY),
    (CHOICE, BODY | {"system": "Be brief."}),
    (CHOICE, BODY | {"tools": [TOOL]}),
]


@pytest.mark.parametrize(("choice", "body"), OTHERS)
def test_another_model_system_prompt_or_set_of_tools_gets_none_of_them(
    choice: Choice, body: dict[str, Any]
) -> None:
    """As after a deploy that has changed the route's own system prompt."""
    assert own_from(choice, body, last(0)) == len(BODY["messages"])
    assert own_from(choice, body, None) == len(BODY["messages"])


def test_the_form_of_a_setting_and_marks_for_the_cache_change_nothing() -> None:
    cache = {"cache_control": {"type": "ephemeral"}}
    before = BODY | {"system": [{"type": "text", "text": "Be brief."}], "tools": [TOOL]}
    now = BODY | {
        "system": [{"text": "Be brief.", "type": "text", **cache}],
        "tools": [{"input_schema": {"type": "object"}, "name": "look", **cache}],
    }
    assert own_from(CHOICE, now, last(2, before)) == 2


def test_what_turns_thinking_off_in_the_chosen_models_word_stands_as_it_is() -> None:
    drop = {"prefix_mismatch_behavior": "drop_block"}
    said = {"type": "between_tools", "block_binding": drop}
    sent: Any = asked(CHOICE, BODY | {"thinking": said}, {}).body
    assert sent["thinking"] == said
