"""A team's own table of routes is read, or refused with words that mend it."""

import json
from typing import Any

import pytest

from claude_core.routes import BadTable, Table

ROUTE = {"intent": "question", "about": "wants to know", "model": "fast", "max_tokens": 100}
OTHER = ROUTE | {"intent": "other", "model": "balanced"}


def table(*routes: Any, default: Any = "other", **more: Any) -> str:
    return json.dumps({"routes": routes or [ROUTE, OTHER], "default": default, **more})


def test_the_table_that_ships_routes_as_promised() -> None:
    own = Table.own()
    roles = {intent: route.model for intent, route in own.routes.items()}
    assert roles == {
        "question": "fast",
        "task": "balanced",
        "creative": "balanced",
        "code": "balanced",
        "unknown": "balanced",
    }
    assert own.default.intent == "unknown"


def test_a_team_may_switch_a_route_on() -> None:
    off = OTHER | {"intent": "deep", "model": "deep", "on": False}
    assert "deep" not in Table.from_json(table(ROUTE, OTHER, off)).routes
    assert "deep" in Table.from_json(table(ROUTE, OTHER, off | {"on": True})).routes


BAD = [
    ("{", "not JSON"),
    ("[]", "must be an object"),
    ('{"routes": {}}', "must be an object"),
    (table(1, OTHER), "routes.0: must be an object"),
    (table(ROUTE, default="question"), "1 are on; 2 to 20"),
    (table(*[ROUTE | {"intent": f"i{at}"} for at in range(21)], default="i0"), "21 are on"),
    (table(ROUTE, ROUTE), "an intent stands twice"),
    (table(default="none"), "default: must be one of question, other"),
    (table(confidence=2), "confidence: must be a number from 0 to 1"),
    (table(confidence=True), "confidence: must be a number from 0 to 1"),
    (table(confidence="high"), "confidence: must be a number from 0 to 1"),
    (table(extra=1), "extra: no such field"),
    (table(ROUTE | {"colour": "red"}, OTHER), "routes.0 (question): colour: no such field"),
    (table({"intent": "question"}, OTHER), "about: field required"),
    (table(ROUTE | {"intent": "Über"}, OTHER), "intent: must be lower-case letters"),
    (table(ROUTE | {"intent": 3}, OTHER), "intent: must be a string"),
    (table(ROUTE | {"about": " "}, OTHER), "about: must say what belongs to it"),
    (table(ROUTE | {"model": "opus"}, OTHER), "is not one of fast, balanced, deep"),
    (table(ROUTE | {"max_tokens": 0}, OTHER), "max_tokens: must be 1 to 128000"),
    (table(ROUTE | {"max_tokens": True}, OTHER), "max_tokens: must be a whole number"),
    (table(ROUTE | {"effort": "huge"}, OTHER), "effort: must be one of low"),
    (table(ROUTE | {"examples": "one"}, OTHER), "examples: must be a list of strings"),
    (table(ROUTE | {"examples": [1]}, OTHER), "examples: must be a list of strings"),
    (table(ROUTE | {"cache": 1}, OTHER), "cache: must be true or false"),
    (table(ROUTE | {"about": "\ud83d"}, OTHER), "a lone surrogate"),
]


@pytest.mark.parametrize(("text", "said"), BAD, ids=[said[:40] for _, said in BAD])
def test_what_is_wrong_is_named_with_its_row_and_its_rule(text: str, said: str) -> None:
    with pytest.raises(BadTable) as refused:
        Table.from_json(text)
    assert said in str(refused.value)
