"""What the page makes of frames that are rare, and of services that are slow to tell."""

from typing import Any

import pytest

from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

APPLY = """async (frames) => {
  const { apply, newTurn } = await import(new URL("page/turns.js", document.baseURI));
  const { noticeOf } = await import(new URL("page/notice.js", document.baseURI));
  const turn = newTurn("Hello", "fast");
  const conversation = { turns: [turn] };
  for (const frame of frames) apply(conversation, turn, frame);
  return { ...turn.answer, notice: noticeOf(turn), spent: conversation.spent };
}"""
DONE = {"type": "done", "seq": 2, "stop_reason": "end_turn", "model": "m", "cost_usd": 0.5}
USAGE = {"input_tokens": 1, "cache_read_input_tokens": 2, "output_tokens": 4}


def delta(seq: int, text: str, **more: Any) -> dict[str, Any]:
    return {"type": "delta", "seq": seq, "text": text, **more}


def applied(visitor: Visitor, *frames: dict[str, Any]) -> dict[str, Any]:
    visitor.visit()
    made: dict[str, Any] = visitor.page.evaluate(APPLY, list(frames))
    return made


def test_what_is_told_twice_counts_once(visitor: Visitor) -> None:
    made = applied(visitor, delta(1, "a"), delta(1, "a"), delta(2, "b"), DONE | {"usage": USAGE})
    assert made["text"] == "ab"
    assert made["spent"] == {"input": 3, "output": 4, "cost": 0.5}
    assert made["notice"] is None


def test_a_whole_answer_takes_the_place_of_what_had_come(visitor: Visitor) -> None:
    part = {"type": "done", "seq": 9, "stop_reason": None, "incomplete": True}
    made = applied(visitor, delta(1, "a"), delta(9, "abcdef", whole=True), part)
    assert made["text"] == "abcdef"
    assert made["notice"]["title"] == "Incomplete"
    assert "only a part" in made["notice"]["words"]


def test_nothing_changes_an_answer_that_has_ended(visitor: Visitor) -> None:
    error = {"type": "error", "error": {"type": "not_found_error", "message": "no"}}
    made = applied(visitor, delta(1, "a"), DONE, error, delta(2, "b"))
    assert made["state"] == "done"
    assert made["text"] == "a"


@pytest.mark.parametrize(
    ("kind", "retryable", "title", "retry"),
    [
        ("rate_limit_error", False, "A limit is reached", False),
        ("not_found_error", True, "The answer was lost", True),
        ("of a kind to come", True, "Something went wrong", True),
    ],
)
def test_an_error_says_what_it_is_and_offers_what_helps(
    visitor: Visitor, kind: str, retryable: bool, title: str, retry: bool
) -> None:
    error = {"type": kind, "message": "words of the service"}
    made = applied(visitor, {"type": "error", "error": error, "retryable": retryable})
    assert made["notice"]["title"] == title
    assert made["notice"]["retry"] is retry
    assert made["notice"]["words"].startswith("Words of the service.")
