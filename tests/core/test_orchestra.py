"""A question's whole way against moto and the fake Claude: routed, paid once, explained."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from claude_core import errors
from claude_core.budget import Budget
from claude_core.clients import ClientKey
from claude_core.routes import Table
from claude_core.routing import Orchestra, router
from claude_core.sse import Event
from local.fake_claude.inprocess import Fake
from tests.core.asking import asked
from tests.core.orchestrating import HAIKU, INCOMING, OPUS, SONNET, Deployed, counted, sorts
from tests.doubles import AwsDouble


@pytest.fixture
def deployed(aws: AwsDouble, claude: Fake) -> Deployed:
    return Deployed(aws, claude)


def test_an_answer_says_who_gave_it_why_and_what_that_cost_and_saved(deployed: Deployed) -> None:
    deployed.claude.plan([sorts("question")])
    answer = deployed.whole(input="how long does it take?")
    route = answer["route"]
    assert (answer["model"], route["model"]) == (HAIKU, HAIKU)
    assert (route["intent"], route["confidence"]) == ("question", 0.9)
    assert route["reason"] == "classified"
    assert route["cost_usd"] > 0
    assert route["saved_usd"] > 0


def test_both_calls_are_paid_and_one_request_of_the_minute_is_counted(deployed: Deployed) -> None:
    deployed.claude.plan([sorts("code")])
    answer = deployed.whole(input="why does it loop?")
    row = deployed.aws.row(deployed.client)
    (minute,) = (name for name in row if name.startswith("minute_"))
    assert int(row[minute]) == 9_999
    assert row["open"] == {}
    assert deployed.spent_usd > answer["route"]["cost_usd"] > 0
    assert asked(deployed.claude) == 2


def test_a_stream_is_explained_at_its_start_and_in_full_at_its_end(deployed: Deployed) -> None:
    deployed.claude.plan([sorts("task")])
    events = deployed.streamed(messages=[{"role": "user", "content": "summarise this"}])
    assert events[0].type == "message_start"
    first = json.loads(events[0].raw.split(b"data: ")[1])["message"]["route"]
    assert (first["intent"], first["model"]) == ("task", SONNET)
    (last,) = (event for event in events if event.type == "message_delta")
    assert "saved_usd" in json.loads(last.raw.split(b"data: ")[1])["route"]
    assert events[-1].settled is not None
    assert deployed.aws.row(deployed.client)["open"] == {}


@pytest.mark.parametrize("trouble", ["overloaded", "server_error", "rate_limited"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_model_line_in_trouble_gives_way_to_the_next_one_once(
    deployed: Deployed, trouble: str, stream: bool
) -> None:
    deployed.claude.plan([sorts("code"), {"name": trouble, "model": SONNET}])
    if stream:
        route = deployed.streamed(input="a loop")[0].data["message"]["route"]
    else:
        route = deployed.whole(input="a loop")["route"]
    assert (route["model"], route["intent"]) == (HAIKU, "code")
    assert route["reason"] == "the model before it could not answer"
    assert asked(deployed.claude) == 3


def test_who_asks_for_a_model_by_name_gets_it_or_its_error(deployed: Deployed) -> None:
    deployed.claude.plan(["overloaded"])
    assert deployed.whole(input="a loop", model="fast")["model"] == HAIKU
    assert asked(deployed.claude) == 2, "nobody else may answer, so it is tried again"


@pytest.mark.parametrize("trouble", ["reset", "bad_request"])
def test_what_may_be_billed_or_is_the_callers_to_mend_is_not_asked_again(
    deployed: Deployed, trouble: str
) -> None:
    deployed.claude.plan([sorts("code"), {"name": trouble, "model": SONNET}])
    with pytest.raises(errors.UpstreamFailed):
        deployed.whole(input="a loop")
    assert asked(deployed.claude) == 2


@pytest.mark.parametrize("trouble", ["hang", "overloaded", "reset", "cut", "html", "refusal"])
def test_a_classifier_in_trouble_is_asked_once_and_the_default_route_answers(
    deployed: Deployed, trouble: str
) -> None:
    deployed.claude.plan([{"name": trouble, "model": HAIKU}])
    route = deployed.whole(input="hello there")["route"]
    assert (route["intent"], route["model"]) == ("unknown", SONNET)
    assert asked(deployed.claude) == 2
    assert deployed.aws.row(deployed.client)["open"] == {}


def careful() -> Table:
    """A table whose code route knows whom to ask after a refusal."""
    own = Table.own()
    code = replace(own.routes["code"], after_refusal="deep")
    return replace(own, routes={**own.routes, "code": code})


@pytest.mark.parametrize("stream", [False, True])
def test_after_a_refusal_the_model_that_the_route_names_is_asked_and_both_are_paid(
    deployed: Deployed, stream: bool
) -> None:
    deployed.table = careful()
    deployed.claude.plan([sorts("code"), {"name": "refusal", "text": "", "model": SONNET}])
    if stream:
        events = deployed.streamed(input="a loop")
        assert [event.type for event in events].count("message_start") == 1
        route = events[0].data["message"]["route"]
    else:
        route = deployed.whole(input="a loop")["route"]
    assert (route["model"], route["reason"]) == (OPUS, "the model before it refused")
    assert asked(deployed.claude) == 3
    assert deployed.aws.row(deployed.client)["open"] == {}


@pytest.mark.parametrize("stream", [False, True])
def test_a_refusal_is_the_answer_where_no_route_says_otherwise(
    deployed: Deployed, stream: bool
) -> None:
    deployed.claude.plan([sorts("code"), {"name": "refusal", "model": SONNET}])
    if stream:
        (last,) = (one for one in deployed.streamed(input="a") if one.type == "message_delta")
        assert last.data["delta"]["stop_reason"] == "refusal"
    else:
        assert deployed.whole(input="a loop")["stop_reason"] == "refusal"
    assert asked(deployed.claude) == 2


def test_what_is_refused_after_a_word_was_shown_is_the_answer(deployed: Deployed) -> None:
    deployed.table = careful()
    deployed.claude.plan([sorts("code"), {"name": "refusal", "model": SONNET}])
    (last,) = (one for one in deployed.streamed(input="a") if one.type == "message_delta")
    assert last.data["delta"]["stop_reason"] == "refusal"
    assert asked(deployed.claude) == 2


def test_an_answer_that_is_none_is_streamed_whole_where_refusals_are_looked_for(
    deployed: Deployed,
) -> None:
    deployed.table = careful()
    deployed.claude.plan([sorts("code"), {"name": "answer", "text": "as it is", "model": SONNET}])
    events = deployed.streamed(input="a loop")
    said = "".join(one.data["delta"].get("text", "") for one in events if "delta" in one.data)
    assert said == "as it is"
    assert events[-1].type == "message_stop"


BAD: list[dict[str, Any]] = [
    {},
    {"input": ""},
    {"input": 3},
    {"input": "a", "messages": [{"role": "user", "content": "b"}]},
    {"input": "a", "tools": []},
    {"messages": []},
    {"messages": [{"role": "user", "content": "a"}], "temperature": 1},
    {"input": "a", "max_tokens": 10**9},
    {"input": "a", "model": "gpt"},
]


@pytest.mark.parametrize("body", BAD, ids=str)
def test_a_bad_question_is_refused_before_anything_is_asked_or_spent(
    deployed: Deployed, body: dict[str, Any]
) -> None:
    with pytest.raises(errors.Refused):
        deployed.whole(**body)
    assert asked(deployed.claude) == 0
    assert deployed.spent_usd == 0


def test_a_client_that_nobody_is_or_that_has_no_money_asks_nothing(deployed: Deployed) -> None:
    stranger = ClientKey(deployed.key.id, "0" * 64)
    with pytest.raises(errors.NotAuthenticated):
        deployed.whole(stranger, input="hello")
    poor, _ = deployed.aws.add_client(budget=1)
    with pytest.raises(errors.OverBudget):
        deployed.whole(ClientKey.parse(poor), input="hello")
    assert asked(deployed.claude) == 0


def test_thinking_is_not_carried_to_another_model(deployed: Deployed) -> None:
    deployed.claude.plan([sorts("question")])
    thought = {"type": "thinking", "thinking": "hm", "signature": "of-another-model"}
    said = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": [thought, {"type": "text", "text": "b"}]},
        {"role": "user", "content": "how long?"},
    ]

    async def do(orchestra: Orchestra, deadline: float) -> str | None:
        body = {"messages": said}
        routed = await orchestra.answer(INCOMING, deployed.key, body, {}, deadline=deadline)
        return routed.reply.request_id

    sent = json.loads(deployed.claude.body(deployed.run(do) or ""))
    assert [block["type"] for block in sent["messages"][1]["content"]] == ["text"]


def test_a_stream_that_its_caller_leaves_counts_with_its_route(
    deployed: Deployed, capfd: pytest.CaptureFixture[str]
) -> None:
    deployed.claude.plan([sorts("task")])

    async def do(orchestra: Orchestra, deadline: float) -> None:
        events = orchestra.stream(
            *(INCOMING, deployed.key, {"input": "hello", "stream": True}, {}),
            deadline=deadline,
            open_deadline=deadline,
        )
        async with aclosing(events):
            await anext(events)

    deployed.run(do)
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines() if "_aws" in line]
    (routed,) = (line for line in lines if "routed" in line)
    assert routed["routed"] == routed["route_task"] == [1.0]
    assert "routing_saved_usd" not in routed


def turns(deployed: Deployed, stream: bool, *said: Any, **more: Any) -> tuple[Any, Any]:
    """One question in a process of its own: its `route` at the end, and the blocks to send back."""
    body = {"messages": [*said], **more}
    if not stream:
        answer = deployed.whole(**body)
        return answer["route"], answer["content"]
    events = deployed.streamed(**body)
    blocks = [
        dict(event.data["content_block"]) for event in events if event.type == "content_block_start"
    ]
    for event in events:
        if event.type == "content_block_delta":
            for name in {"text", "signature"} & event.data["delta"].keys():
                blocks[event.data["index"]][name] += event.data["delta"][name]
    (last,) = (event for event in events if event.type == "message_delta")
    return json.loads(last.raw.split(b"data: ")[1])["route"], blocks


@pytest.mark.parametrize("stream", [False, True])
def test_a_conversation_whose_prompt_is_kept_stays_on_its_model_in_whatever_process(
    deployed: Deployed, stream: bool
) -> None:
    kept = {"name": "answer", "usage": {"cache_read_input_tokens": 5_000}, "model": HAIKU}
    deployed.claude.plan([sorts("question"), kept])
    question = {"role": "user", "content": "how long does it take?"}
    route, content = turns(deployed, stream, question)
    assert (route["model"], route["reason"]) == (HAIKU, "classified")
    answer = {"role": "assistant", "content": content}
    more = {"role": "user", "content": "Now write me a novel."}
    route, _ = turns(deployed, stream, question, answer, more)
    assert (route["model"], route["reason"]) == (HAIKU, "the conversation is on it")
    assert (route["intent"], route["confidence"], route["cost_usd"]) == ("question", 0.9, 0)
    deployed.now += 300  # that answer used no cache
    route, _ = turns(deployed, stream, question, answer, more)
    assert route["reason"] != "the conversation is on it"
    assert not deployed.troubles


@pytest.mark.parametrize("stream", [False, True])
def test_a_model_that_has_called_a_tool_goes_on_with_its_own_thoughts_in_whatever_process(
    deployed: Deployed, stream: bool
) -> None:
    """The one that stood in for another, too: it is its thoughts that the tool waits for."""
    answer = {"name": "thinking", "model": HAIKU}
    deployed.claude.plan([sorts("code"), {"name": "overloaded", "model": SONNET}, answer])
    more: dict[str, Any] = {
        "tools": [{"name": "look", "input_schema": {"type": "object"}}],
        "thinking": {"type": "adaptive"},
    }
    question = {"role": "user", "content": "use tool look"}
    route, content = turns(deployed, stream, question, **more)
    assert (route["model"], route["reason"]) == (HAIKU, "the model before it could not answer")
    (call,) = (block for block in content if block["type"] == "tool_use")
    result = {"type": "tool_result", "tool_use_id": call["id"], "content": "rain"}
    route, _ = turns(
        *(deployed, stream, question, {"role": "assistant", "content": content}),
        *({"role": "user", "content": [result]},),
        **more,
    )
    assert (route["model"], route["reason"]) == (HAIKU, "the conversation is on it")
    sent = deployed.claude.stats()["requests"][-1]["body"]
    assert [block["type"] for block in sent["messages"][1]["content"]] == ["thinking", "tool_use"]
    assert sent["thinking"] == {"type": "adaptive"}


@pytest.mark.parametrize("stream", [False, True])
def test_thoughts_go_along_while_one_model_answers_and_are_left_behind_when_another_does(
    deployed: Deployed, stream: bool
) -> None:
    """Held by nothing, chosen anew each time, or asked for by name: no thought is sent without
    those before it that its model was given, or it would be refused."""

    def sent() -> list[bool]:
        body = deployed.claude.stats()["requests"][-1]["body"]
        answers = [one["content"] for one in body["messages"] if one["role"] == "assistant"]
        return ["thinking" in [block["type"] for block in content] for content in answers]

    said: list[Any] = []
    steps: list[tuple[dict[str, Any], str, list[bool]]] = [
        (sorts("code"), SONNET, []),
        (sorts("code"), SONNET, [True]),
        (sorts("question"), HAIKU, [False, False]),
        (sorts("question"), HAIKU, [False, False, True]),
        ({}, SONNET, [False] * 4),
        ({}, SONNET, [False] * 4 + [True]),
    ]
    for at, (sorted_as, model, thoughts) in enumerate(steps):
        answer = {"name": "thinking", "model": model}
        deployed.claude.plan([sorted_as, answer] if sorted_as else [answer])
        said.append({"role": "user", "content": f"question {at}"})
        route, content = turns(deployed, stream, *said, model="auto" if sorted_as else "balanced")
        assert (route["model"], sent()) == (model, thoughts)
        said.append({"role": "assistant", "content": content})


def test_a_classifier_that_would_think_has_room_and_time_for_its_verdict(
    deployed: Deployed,
) -> None:
    thought = "The message may want to know something. " * 20
    deployed.claude.plan([sorts("question") | {"name": "thinking", "thought": thought}])
    assert deployed.whole(input="how long does it take?")["route"]["reason"] == "classified"


def asks(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": f"a {text}"}]


OFF, BETWEEN = {"type": "disabled"}, {"type": "between_tools"}


@pytest.mark.parametrize("said", [OFF, BETWEEN], ids=str)
def test_thinking_is_turned_off_as_whatever_model_is_chosen_takes_it(
    deployed: Deployed, said: dict[str, str]
) -> None:
    """One model's word for it is another's 400; the deepest always thinks."""
    own = Table.own()
    deep = replace(own.routes["task"], model="deep", effort="max")
    code = replace(own.routes["code"], effort="max")
    deployed.table = replace(own, routes={**own.routes, "task": deep, "code": code})
    steps = (
        ("question", HAIKU, OFF),
        ("code", SONNET, BETWEEN),
        ("task", OPUS, {"type": "adaptive"}),
    )
    for intent, model, thinking in steps:
        deployed.claude.plan([sorts(intent)])
        assert deployed.whole(messages=asks(intent), thinking=said)["model"] == model
        sent = deployed.claude.stats()["requests"][-1]["body"]
        assert sent.get("thinking") == thinking
        assert ("output_config" in sent) == (model == OPUS), "not the row's effort without thought"
    deployed.claude.plan([sorts("code"), {"name": "overloaded", "model": SONNET}])
    assert deployed.whole(messages=asks("loop"), thinking=said)["model"] == HAIKU
    with pytest.raises(errors.UpstreamRefused):  # who names the model knows what it takes
        deployed.whole(messages=asks("loop"), thinking=said, model="deep")


@pytest.mark.parametrize("stream", [False, True])
def test_what_another_model_or_the_default_route_stood_in_for_rings_the_alarms_all_the_same(
    deployed: Deployed, stream: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    trouble: list[Any] = [{"name": "overloaded", "model": HAIKU}]
    deployed.claude.plan([*trouble, {"name": "overloaded", "model": SONNET}])
    if stream:
        deployed.streamed(input="hello")
    else:
        deployed.whole(input="hello")
    found = counted(capfd)
    assert found["upstream_overloaded"] == 2
    assert (found["classifier_failures"], found["routing_fallbacks"]) == (1, 1)
    assert "errors" not in found


def test_choosing_is_counted_whatever_becomes_of_the_answer(
    deployed: Deployed, capfd: pytest.CaptureFixture[str]
) -> None:
    deployed.claude.plan([sorts("code"), {"name": "bad_request", "model": SONNET}])
    with pytest.raises(errors.UpstreamRefused):
        deployed.whole(input="a loop")
    found = counted(capfd)
    assert min(found["routing_cost_usd"], found["classifier_duration"]) > 0
    assert (found["classifications"], found["classifier_failures"]) == (1, 0)
    assert not found.keys() & {"routed", "answers"}


@pytest.mark.parametrize("stream", [False, True])
def test_an_overload_stays_one_where_the_other_model_is_too_dear(
    deployed: Deployed, stream: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    """So that the caller's client tries again, which it does not for a budget."""
    key, _ = deployed.aws.add_client(budget=3 * 10**7)
    deployed.key = ClientKey.parse(key)
    deployed.claude.plan([sorts("question"), {"name": "overloaded", "model": HAIKU}])
    ask = deployed.streamed if stream else deployed.whole
    with pytest.raises(errors.Overloaded) as told:
        ask(input="how long?", max_tokens=4_000)
    assert told.value.retry_helps
    assert "upstream_overloaded" not in counted(capfd), "who tells the caller counts it"


async def all_of(events: AsyncGenerator[Event]) -> list[Event]:
    async with aclosing(events):
        return [event async for event in events]


LATE = [
    {"name": "bad_request", "model": SONNET},
    {"name": "stream_error", "model": SONNET},
    {"name": "hang", "model": SONNET},
]


@pytest.mark.parametrize("trouble", LATE, ids=lambda one: one["name"])
def test_the_money_of_a_late_classifier_is_settled_before_an_error_leaves(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch, trouble: dict[str, str]
) -> None:
    """After it a function may be frozen."""
    monkeypatch.setattr(router, "CLASSIFIED_S", 0.05)
    settle, failed = Budget.settle, asyncio.Event()

    async def last(self: Budget, held: Any, spent: Any, **more: Any) -> None:
        """The classifier's after the answer's, with which the error is on its way."""
        if spent.model.id == HAIKU:
            await failed.wait()
        await settle(self, held, spent, **more)
        failed.set()

    monkeypatch.setattr(Budget, "settle", last)
    deployed.claude.plan([{"name": "hang", "model": HAIKU}, trouble])

    async def do(orchestra: Orchestra, deadline: float) -> Any:
        body = {"input": "hello", "stream": True}
        events = orchestra.stream(
            *(INCOMING, deployed.key, body, {}), deadline=deadline, open_deadline=deadline
        )
        with pytest.raises(errors.UpstreamFailed):
            await all_of(events)
        return deployed.aws.row(deployed.client)["open"]

    assert deployed.run(do, seconds=1) == {}


def test_looking_for_a_refusal_does_not_wait_for_the_first_word(deployed: Deployed) -> None:
    """Thoughts that are not shown take minutes, and what is silent for five is cut."""
    deployed.table = careful()
    slow = {"name": "answer", "first_token_ms": 60_000, "model": SONNET}
    deployed.claude.plan([sorts("code"), slow])

    async def do(orchestra: Orchestra, deadline: float) -> str:
        events = orchestra.stream(
            *(INCOMING, deployed.key, {"input": "a loop", "stream": True}, {}),
            deadline=deadline,
            open_deadline=deadline,
        )
        async with aclosing(events):
            return (await anext(events)).type

    assert deployed.run(do, seconds=5) == "message_start"


def test_without_a_table_of_conversations_each_question_is_chosen_for_alone(
    deployed: Deployed,
) -> None:
    kept = {"name": "thinking", "usage": {"cache_read_input_tokens": 5_000}}
    question = {"role": "user", "content": "how long does it take?"}

    async def do(orchestra: Orchestra, deadline: float) -> list[Any]:
        alone = Orchestra(orchestra._kit, deployed.table)
        said: list[Any] = [question]
        for intent in ("question", "task"):
            deployed.claude.plan([sorts(intent), kept])
            routed = await alone.answer(
                *(INCOMING, deployed.key, {"messages": said}, {}), deadline=deadline
            )
            answer = json.loads(routed.body)
            said += [
                {"role": "assistant", "content": answer["content"]},
                question | {"content": "?"},
            ]
        return [answer["model"], answer["route"]["reason"]]

    assert deployed.run(do) == [SONNET, "classified"]
    sent = deployed.claude.stats()["requests"][-1]["body"]
    assert [block["type"] for block in sent["messages"][1]["content"]] == ["text"]
