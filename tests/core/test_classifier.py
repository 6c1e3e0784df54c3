"""Of what the classifier says nothing is trusted but an intent of the table and a number."""

import asyncio
import gc
import json

import pytest

from claude_core import errors
from claude_core.messages import Request
from claude_core.reply import Reply
from claude_core.routing import router
from claude_core.routing.choice import Reason
from claude_core.routing.classifier import HEAD, TAIL, excerpt, question_of
from claude_core.routing.late import Late
from claude_core.routing.router import KEPT_S
from tests.core.routing import BALANCED, FAST, Routing, answer, verdict

HOSTILE = [
    *("", "question", '"question"', "[]", "null", "{}", "{", '{"intent": "question"}'),
    *('{"confidence": 1}', '{"intent": "deep", "confidence": 1}'),
    '{"intent": "question\\n", "confidence": 1}',
    '{"intent": "QUESTION", "confidence": 1}',
    '{"intent": ["question"], "confidence": 1}',
    '{"intent": {"question": 1}, "confidence": 1}',
    '{"intent": "question", "confidence": "1"}',
    '{"intent": "question", "confidence": true}',
    '{"intent": "question", "confidence": NaN}',
    '{"intent": "question", "confidence": 1e999}',
    '{"intent": "question", "confidence": -0.1}',
    '{"intent": "question", "confidence": null}',
    '{"intent": "question", "confidence": 1, "model": "claude-opus-5-5"}',
    '{"intent": "question", "confidence": 1} and route it to opus',
    '```json\n{"intent": "question", "confidence": 1}\n```',
    '{"intent": "{\\"intent\\": \\"question\\"}", "confidence": 1}',
    json.dumps({"intent": "question" * 150_000, "confidence": 1}),
    "[" * 900,
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:40])
def test_whatever_the_classifier_says_else_takes_the_default(text: str) -> None:
    choice = Routing(text).choose()
    assert (choice.model, choice.reason, choice.verdict) == (BALANCED, Reason.MALFORMED, None)


@pytest.mark.parametrize(
    ("error", "reason", "billed"),
    [
        (errors.DeadlinePassed("late"), Reason.LATE, True),
        (errors.AnswerLost("cut"), Reason.FAILED, True),
        (errors.Overloaded("529"), Reason.FAILED, False),
        (errors.UpstreamRefused("no", status=400, type="x"), Reason.FAILED, False),
        (errors.TooMany("minute"), Reason.FAILED, False),
        (errors.AwsUnreachable("down"), Reason.FAILED, False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_classifier_that_fails_costs_what_it_may_have_cost_and_no_error(
    error: errors.KitError, reason: Reason, billed: bool
) -> None:
    choice = Routing(error).choose()
    assert (choice.model, choice.reason) == (BALANCED, reason)
    assert (choice.cost > 0) == billed


def test_a_refusal_of_the_classifier_is_no_verdict() -> None:
    choice = Routing(answer(verdict("question"), "refusal")).choose()
    assert (choice.model, choice.reason) == (BALANCED, Reason.REFUSED)


def test_a_repeated_question_is_classified_once_an_hour() -> None:
    routing = Routing(verdict("code"))
    assert routing.choose("why?").cost == 7
    assert routing.choose("why?").cost == 0
    routing.choose("how?")
    routing.now += KEPT_S
    routing.choose("why?")
    assert len(routing.asked) == 3


def test_a_failure_is_not_remembered() -> None:
    routing = Routing(errors.Overloaded("529"))
    routing.choose("why?")
    routing.says = verdict("question")
    assert routing.choose("why?").model is FAST


def test_the_classifier_reads_head_and_tail_of_a_long_question_and_as_data() -> None:
    routing = Routing(verdict("task"))
    text = "Summarise:" + "x" * 300_000 + "\n\nin French"
    routing.choose(text)
    (request,) = routing.asked
    assert len(request.wire) < 8_000
    assert b"Summarise:" in request.wire
    assert b"in French" in request.wire
    assert excerpt("short") == "short"
    assert len(excerpt(text)) < HEAD + TAIL + 10


def test_the_question_is_what_the_user_said_last() -> None:
    blocks = [{"type": "text", "text": "a"}, {"type": "tool_result"}, {"type": "text", "text": "b"}]
    messages = [
        {"role": "user", "content": "first"},
        {"role": "user", "content": blocks},
        {"role": "assistant", "content": "said"},
    ]
    assert question_of({"messages": messages}) == "a\nb"


def test_it_is_not_to_think_about_it() -> None:
    routing = Routing(verdict("question"))
    routing.choose()
    assert routing.asked[0].body["thinking"] == {"type": "disabled"}


def test_it_is_waited_for_as_long_as_is_said_and_its_money_no_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its call is not cut, which might leave its money open; nobody waits for it, that is all."""
    monkeypatch.setattr(router, "CLASSIFIED_S", 0.02)
    routing = Routing()

    async def do() -> None:
        late, settled = Late(), asyncio.Event()

        async def ask(request: Request, deadline: float) -> tuple[Reply, int]:
            await settled.wait()
            return answer(verdict("question")), 7

        async with asyncio.timeout(5):
            found = await routing.router.classify("hello", ask, late)
            assert (found.verdict, found.reason) == (None, Reason.LATE)
            assert found.cost > 0, "the most that it can come to"
            settled.set()
            await late.over()

    asyncio.run(do())
    assert routing.choose("hello").verdict, "it was paid for: it is remembered"
    assert not routing.asked


def test_what_became_of_a_late_one_is_no_news_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async def fails(settled: asyncio.Event) -> None:
        await settled.wait()
        raise errors.DeadlinePassed("late")

    async def do() -> None:
        late, settled = Late(), asyncio.Event()
        with pytest.raises(errors.DeadlinePassed):
            await late.by(0, fails(settled))
        settled.set()
        await late.over()

    asyncio.run(do())
    gc.collect()
    assert not caplog.records
