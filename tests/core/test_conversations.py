"""Which model is on a conversation: every process knows it, for as long as something holds it."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest

from claude_core.aws import Aws
from claude_core.connections import AwsHttp
from claude_core.routes import Table
from claude_core.routing.choice import Choice, Last, Reason, Verdict
from claude_core.routing.conversations import TOOL_S, WARM_S, Conversations
from tests.core.routing import BALANCED, DEEP
from tests.doubles import AwsDouble

T = TypeVar("T")
ROUTES = Table.own()
CHOSEN = Choice(
    route=ROUTES.routes["code"],
    model=DEEP,
    reason=Reason.CLASSIFIED,
    verdict=Verdict("code", 0.75),
    cost=7,
    seconds=0.3,
    dearest=DEEP,
)
CACHE = {"cache_control": {"type": "ephemeral"}}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "42"}


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def assistant(content: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content}


def text(said: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": said, **more}


class Kept:
    """A table, and processes that have nothing else in common."""

    def __init__(self, aws: AwsDouble) -> None:
        self.aws, self.now, self.troubles = aws, 1_000_000.0, list[str]()
        self.table = aws.routed_table()
        aws.calls.clear()

    def process(self, do: Callable[[Conversations], Awaitable[T]]) -> T:
        async def inner() -> T:
            aws = Aws(AwsHttp(), self.aws.runtime)
            try:
                return await do(
                    Conversations(
                        aws, self.table, trouble=self.troubles.append, now=lambda: self.now
                    )
                )
            finally:
                await aws.close()

        return asyncio.run(inner())

    def note(self, messages: list[Any], answer: Any, **more: Any) -> None:
        holds = {"warm": more.pop("warm", True), "waits": more.pop("waits", False)}
        last, body = more.pop("last", None), {"messages": messages, **more}
        self.process(lambda one: one.note("client", body, CHOSEN, answer, last, **holds))

    def last(self, *messages: Any, client: str = "client", **more: Any) -> Last | None:
        body = {"messages": [*messages], **more}
        return self.process(lambda one: one.last(client, body, ROUTES))

    def held(self, *messages: Any, **more: Any) -> bool:
        """Whether the conversation stays on its model."""
        last = self.last(*messages, **more)
        return last is not None and last.holds


@pytest.fixture
def kept(aws: AwsDouble) -> Kept:
    return Kept(aws)


def test_another_process_knows_it_from_the_first_answer_on(kept: Kept) -> None:
    kept.note([user("a loop")], [text("for …")])
    found = kept.last(user("a loop"), assistant([text("for …")]), user("thanks, why?"))
    assert found
    assert found.holds
    assert (found.route, found.model, found.verdict) == (CHOSEN.route, DEEP, CHOSEN.verdict)
    assert found.thoughts_from == 1, "those before were not its own"


def test_each_answer_holds_it_for_as_long_as_claude_keeps_the_prompt(kept: Kept) -> None:
    said: list[Any] = []
    for question in ("a loop", "and?", "why?"):
        said.append(user(question))
        kept.note(said, [text("because")])
        said.append(assistant("because"))
        kept.now += WARM_S - 1
        assert kept.held(*said, user("x" * 100_000))
    kept.now += 1
    assert not kept.held(*said, user("why?"))


def test_an_answer_that_does_not_hold_it_lets_it_go(kept: Kept) -> None:
    """As one by a model that stood in for its own."""
    said = [user("a loop"), assistant("for …"), user("and?")]
    kept.note(said[:1], [text("for …")])
    kept.note(said, [text("so")], warm=False)
    assert kept.held(*said)
    assert not kept.held(*said, assistant("so"), user("why?"))


SAME: list[tuple[Any, Any]] = [
    ("a loop", "for … in …"),
    ([text("a loop")], [text("for … in …")]),
    ([text("a loop", **CACHE)], [text("for … in …", **CACHE)]),
    ("a loop", [{"type": "thinking", "thinking": "hm", "signature": "s"}, text("for … in …")]),
    ("a loop", [text("for … "), text("in …")]),
]


@pytest.mark.parametrize(("first", "answer"), SAME)
def test_it_is_the_same_one_in_whatever_form_it_is_sent_back(
    kept: Kept, first: Any, answer: Any
) -> None:
    said = [text("for …"), text(" in …"), text("")]
    kept.note([user([text("a loop", **CACHE)])], said, system=[text("Be brief.")])
    asked = (user(first), assistant(answer), user("why?"))
    assert kept.held(*asked, system=[text("Be brief.", **CACHE)])
    assert kept.held(*asked, system="Be brief.")


def test_another_client_system_question_or_answer_is_another_conversation(kept: Kept) -> None:
    kept.note([user("a loop")], [text("for …")])
    first, answer, why = user("a loop"), assistant("for …"), user("why?")
    assert kept.held(first, answer, why)
    assert not kept.held(first, answer, why, client="other")
    assert not kept.held(first, answer, why, system="Be brief.")
    assert not kept.held(user("a loop!"), answer, why)
    assert not kept.held(first, assistant("while …"), why)
    picture = {"type": "image", "source": {"type": "base64", "data": "aaaa"}}
    assert not kept.held(user([text("a loop"), picture]), answer, why)


def test_conversations_that_begin_with_the_same_examples_are_not_one(kept: Kept) -> None:
    examples = [user("2 + 2"), assistant("4")]
    kept.note([*examples, user("3 + 4")], [text("7")])
    assert not kept.held(*examples, user("Prove it."))
    assert kept.held(*examples, user("3 + 4"), assistant("7"), user("Prove it."))
    for data in ("aaaa", "bbbb"):
        picture = {"type": "image", "source": {"type": "base64", "data": data}}
        said = [user("Describe"), user([picture]), assistant("A cat."), user("Sure?")]
        assert not kept.held(*said)
        kept.note(said[:2], [text("A cat.")])


def test_what_nothing_holds_is_not_written_and_one_question_alone_is_not_asked_about(
    kept: Kept,
) -> None:
    kept.note([user("Hi")], [text("Hello.")], warm=False)
    assert not kept.held(user("Hi"))
    assert not kept.aws.calls


@pytest.mark.parametrize("more", [(), (user("go on"),)])
def test_a_model_that_waits_for_a_tool_goes_on_with_what_that_answers(
    kept: Kept, more: tuple[Any, ...]
) -> None:
    """Its thoughts are signed for it, whatever the prompt's cache does, and whatever of the
    conversation its caller leaves out."""
    kept.note([user("old"), assistant("so"), user("a loop")], [CALL], warm=False, waits=True)
    kept.now += TOOL_S - 1
    assert kept.held(user("a loop"), assistant([CALL]), user([RESULT]), *more)
    kept.now += 1
    assert not kept.held(user("a loop"), assistant([CALL]), user([RESULT]), *more)


def test_each_call_of_a_tool_is_answered_to_the_model_that_made_it(kept: Kept) -> None:
    kept.note([user("a loop")], [CALL], waits=True)
    other = CALL | {"id": "toolu_2"}
    result = RESULT | {"tool_use_id": "toolu_2"}
    assert not kept.held(user("a loop"), assistant([other]), user([result]))
    assert not kept.held(user("a loop"), assistant([CALL]), user([RESULT]), client="other")


def test_a_turn_that_claude_paused_is_gone_on_with_by_the_same_model(kept: Kept) -> None:
    kept.note([user("search")], [text("I look.")], warm=False, waits=True)
    assert kept.held(user("search"), assistant([text("I look.")]))


THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "s"}


def test_whose_thoughts_they_are_is_known_where_nothing_holds_the_conversation(
    kept: Kept,
) -> None:
    kept.note([user("a")], [THOUGHT, text("b")], warm=False)
    said = [user("a"), assistant([THOUGHT, text("b")]), user("c")]
    first = kept.last(*said)
    assert first
    assert (first.holds, first.model, first.thoughts_from) == (False, DEEP, 1)
    kept.note(said, [THOUGHT, text("d")], warm=False, last=first)
    second = kept.last(*said, assistant([THOUGHT, text("d")]), user("e"))
    assert second
    assert second.thoughts_from == 1, "it was given them again"
    kept.now += TOOL_S
    assert kept.last(*said) is None


def test_a_history_that_comes_out_of_a_store_is_the_same_one(kept: Kept) -> None:
    """Such as jsonb, with its own order of fields, and marks for the cache that have moved on."""
    result: dict[str, Any] = RESULT | {"content": [text("42", **CACHE)]}
    said = [user("a"), assistant([CALL]), user([result]), assistant("b")]
    kept.note([*said, user("c")], [text("d")])
    stored = {name: result[name] for name in reversed(result)} | {"content": [text("42")]}
    said = [user("a"), assistant([CALL]), user([stored]), assistant("b")]
    assert kept.held(*said, user("c"), assistant("d"), user("e"))


def test_a_row_holds_no_word_of_what_was_said_and_ends_by_itself(kept: Kept) -> None:
    kept.note([user("canary-question")], [text("canary-answer")], system="canary-system")
    (item,) = kept.aws.boto("dynamodb").scan(TableName=kept.table)["Items"]
    assert "canary" not in str(item)
    assert float(item["expires_at"]["N"]) == kept.now + TOOL_S


@pytest.mark.parametrize(
    ("field", "there"),
    [
        *(("model", True), ("intent", True), ("thoughts_from", True)),
        *(("model", False), ("setting", False), ("holds_until", False)),
    ],
)
def test_what_another_version_wrote_and_this_one_does_not_know_is_routed_anew(
    kept: Kept, field: str, there: bool
) -> None:
    kept.note([user("a loop")], [text("for …")])
    dynamo = kept.aws.boto("dynamodb")
    (item,) = dynamo.scan(TableName=kept.table)["Items"]
    del item[field]
    dynamo.put_item(
        TableName=kept.table, Item=item | ({field: {"S": "of tomorrow"}} if there else {})
    )
    assert not kept.held(user("a loop"), assistant("for …"), user("why?"))


def test_a_choice_that_no_verdict_made_has_none_later(kept: Kept) -> None:
    body = {"messages": [user("a loop")]}
    asked = Choice(route=ROUTES.default, model=BALANCED, reason=Reason.ASKED)
    kept.process(
        lambda one: one.note("client", body, asked, [text("for …")], warm=True, waits=False)
    )
    found = kept.last(user("a loop"), assistant("for …"), user("why?"))
    assert found
    assert (found.model, found.verdict) == (BALANCED, None)


@pytest.mark.parametrize("status", [400, 500])
def test_a_table_that_fails_is_told_of_and_fails_nobody(kept: Kept, status: int) -> None:
    kept.aws.broken = lambda action: (status, {"__type": "ResourceNotFoundException"})
    kept.note([user("a loop")], [text("for …")])
    assert not kept.held(user("a loop"), assistant("for …"), user("why?"))
    assert len(kept.troubles) == 2
    assert all("the table of conversations" in said for said in kept.troubles)


def test_a_slow_table_holds_nobody_up(kept: Kept) -> None:
    """It does not answer before the question has gone on, and the question does not wait for the
    2.5 s of other requests to AWS."""
    gone_on = threading.Event()

    def slow(action: str) -> None:
        gone_on.wait(30)

    kept.aws.broken = slow
    try:
        assert not kept.held(user("a loop"), assistant("for …"), user("why?"))
    finally:
        gone_on.set()
    assert kept.troubles == ["the table of conversations is not reached: TimeoutError"]
