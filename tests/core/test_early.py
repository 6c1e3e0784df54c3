"""An answer that was begun early is kept if the route agrees, and ended and metered if not."""

import asyncio
import datetime as dt
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from claude_core.clients import ClientKey
from claude_core.models import NANO, resolve
from claude_core.routes import Table
from claude_core.routing import Orchestra, early
from claude_core.sse import Event
from local.fake_claude.inprocess import Fake
from tests.core.asking import asked
from tests.core.orchestrating import HAIKU, INCOMING, OPUS, SONNET, Deployed, counted, sorts
from tests.doubles import AwsDouble


@pytest.fixture
def eager(aws: AwsDouble, claude: Fake) -> Deployed:
    deployed = Deployed(aws, claude)
    deployed.table = replace(Table.own(), speculate=0.1)
    return deployed


def streamed(deployed: Deployed, text: str = "hello", **more: Any) -> list[Event]:
    """All events of an answer, when what was ended for it is settled."""

    async def do(orchestra: Orchestra, deadline: float) -> list[Event]:
        said = [{"role": "user", "content": text}]
        body: dict[str, Any] = {"messages": said, "stream": True, **more}
        events = orchestra.stream(
            *(INCOMING, deployed.key, body, {}), deadline=deadline, open_deadline=deadline
        )
        async with aclosing(events):
            found = [event async for event in events]
        await asyncio.gather(*early._LEAVING)
        return found

    return deployed.run(do)


def guessed(deployed: Deployed) -> int:
    row = deployed.aws.row(deployed.client)
    return sum(int(row[name]) for name in row if name.startswith("guessed_"))


@pytest.mark.parametrize("intent", ["task", "creative", "unknown"])
def test_what_the_route_agrees_with_is_kept_and_asked_once(eager: Deployed, intent: str) -> None:
    eager.claude.plan([sorts(intent)])
    route = streamed(eager)[0].data["message"]["route"]
    assert (route["intent"], route["model"], route["reason"]) == (intent, SONNET, "classified")
    assert asked(eager.claude) == 2
    assert guessed(eager) == 0


def test_one_whose_model_cannot_answer_gives_way_and_keeps_its_intent(eager: Deployed) -> None:
    """The classifier is not in the plan: the fake one takes the intent whose word it reads."""
    eager.claude.plan([{"name": "overloaded", "model": SONNET}])
    route = streamed(eager, "a task")[0].data["message"]["route"]
    assert (route["intent"], route["confidence"], route["model"]) == ("task", 1.0, HAIKU)
    assert route["reason"] == "the model before it could not answer"
    assert guessed(eager) == 0


def test_what_it_does_not_agree_with_is_ended_paid_and_metered(eager: Deployed) -> None:
    eager.claude.plan([sorts("question")])
    route = streamed(eager)[0].data["message"]["route"]
    assert (route["intent"], route["model"]) == ("question", HAIKU)
    assert asked(eager.claude) == 3
    row = eager.aws.row(eager.client)
    assert row["open"] == {}
    assert 0 < guessed(eager) < int(row[next(name for name in row if name.startswith("spent_"))])


def test_what_is_not_wanted_is_counted_as_that_and_not_as_a_caller_that_left(
    eager: Deployed, capfd: pytest.CaptureFixture[str]
) -> None:
    eager.claude.plan([sorts("question")])
    streamed(eager)
    found = counted(capfd)
    assert found["guesses_ended"] == 1
    assert found["guesses_cost_usd"] == pytest.approx(guessed(eager) / NANO)
    assert "callers_left" not in found


def test_a_route_that_says_less_is_not_answered_with_more(eager: Deployed) -> None:
    routes = eager.table.routes
    short = replace(routes["task"], max_tokens=50)
    eager.table = replace(eager.table, routes={**routes, "task": short})
    eager.claude.plan([sorts("task")])
    streamed(eager, "a task")
    sent = eager.claude.stats()["requests"][-1]["body"]
    assert (sent["model"], sent["max_tokens"]) == (SONNET, 50)


def test_one_that_is_ended_before_it_begins_costs_what_can_have_been_written(
    eager: Deployed,
) -> None:
    """Not the 4,096 tokens that it might have had."""
    eager.claude.plan([{"name": "hang", "model": SONNET}])  # the classifier says: question
    route = streamed(eager)[0].data["message"]["route"]
    assert route["model"] == HAIKU
    eager.claude.wait(left=1)
    assert 0 < guessed(eager) < 4_096 * resolve("balanced").price.output / 2


def test_what_is_not_wanted_is_ended_within_a_tenth_of_a_second(
    eager: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its money is settled by then, too; the best of ten, for a machine that is busy."""
    took: list[float] = []
    left = early.Early._left

    async def timed(self: early.Early) -> None:
        began = asyncio.get_running_loop().time()
        await left(self)
        took.append(asyncio.get_running_loop().time() - began)

    monkeypatch.setattr(early.Early, "_left", timed)
    eager.table = replace(eager.table, speculate=1.0)
    for number in range(1, 11):
        eager.claude.plan([{"name": "hang", "model": SONNET}])
        streamed(eager, f"hello {number}")
        assert len(took) == number
        if took[-1] < 0.1:
            break
    assert min(took) < 0.1


def test_with_money_for_one_answer_alone_none_is_begun_early(eager: Deployed) -> None:
    key, eager.client = eager.aws.add_client(budget=100_000_000, models=("fast", "balanced"))
    eager.key = ClientKey.parse(key)
    eager.claude.plan([sorts("code")])
    assert streamed(eager)[0].data["message"]["route"]["intent"] == "code"
    assert asked(eager.claude) == 2


def test_what_not_every_route_could_be_asked_is_not_begun_early_but_answered(
    eager: Deployed,
) -> None:
    """`speed` has a price for one model alone; the default route is on it here."""
    key, eager.client = eager.aws.add_client(
        budget=10**10, models=("fast", "balanced", "deep"), extras={"SS": ["speed"]}
    )
    eager.key, own = ClientKey.parse(key), eager.table
    deep = replace(own.default, model="deep")
    eager.table = replace(own, routes={**own.routes, "unknown": deep}, default=deep)
    eager.claude.plan([sorts("unknown")])
    route = streamed(eager, speed="fast")[0].data["message"]["route"]
    assert (route["intent"], route["model"]) == ("unknown", OPUS)
    assert asked(eager.claude) == 2


def test_a_conversation_or_a_repeated_question_needs_no_guess(eager: Deployed) -> None:
    eager.claude.plan([sorts("question")])

    async def do(orchestra: Orchestra, deadline: float) -> None:
        for _ in range(2):
            body: dict[str, Any] = {"input": "why?", "stream": True}
            events = orchestra.stream(
                *(INCOMING, eager.key, body, {}), deadline=deadline, open_deadline=deadline
            )
            async with aclosing(events):
                async for _ in events:
                    pass
        await asyncio.gather(*early._LEAVING)

    eager.run(do)
    assert asked(eager.claude) == 4, "sorted, guessed and answered; and then answered"


@pytest.mark.parametrize("share", [0.0, 0.04, 0.07])
def test_off_or_over_its_share_nothing_is_begun_early(eager: Deployed, share: float) -> None:
    eager.table = replace(eager.table, speculate=share)
    spent_on_guesses(eager, nano=30_000_000)
    eager.claude.plan([sorts("question")])
    streamed(eager)
    assert asked(eager.claude) == 2


def test_speculative_call_adds_nothing_to_the_write_that_reserves_its_money(
    eager: Deployed,
) -> None:
    eager.claude.plan([sorts("question")])
    streamed(eager)
    writes = [asked for _, action, asked in eager.aws.calls if action == "UpdateItem"]
    reserving = [one for one in writes if "#open.#id = :cost" in one["UpdateExpression"]]
    assert len(reserving) == 3, "classified, speculated and answered"
    assert len({one["ConditionExpression"] for one in reserving if "models" in str(one)}) == 1
    assert not any("#guessed" in one["ExpressionAttributeNames"] for one in reserving)
    assert sum("#guessed" in one["ExpressionAttributeNames"] for one in writes) == 1, "settled"


def test_once_unused_answers_have_cost_the_share_none_is_begun(eager: Deployed) -> None:
    eager.claude.plan([sorts("question")] * 2)
    streamed(eager, "why?")
    assert asked(eager.claude) == 3
    spent_on_guesses(eager, nano=90_000_000)  # nearly the tenth that the table gives
    streamed(eager, "why not?")
    assert asked(eager.claude) == 3 + 2


def spent_on_guesses(deployed: Deployed, *, nano: int) -> None:
    """As settlements of this month leave it; three percent of the test's budget, of which an answer
    may take four."""
    deployed.aws.boto("dynamodb").update_item(
        TableName=deployed.aws.table,
        Key={"id": {"S": deployed.client.id}},
        UpdateExpression="ADD #guessed :nano",
        ExpressionAttributeNames={"#guessed": f"guessed_{dt.datetime.now(dt.UTC):%Y_%m}"},
        ExpressionAttributeValues={":nano": {"N": str(nano)}},
    )
