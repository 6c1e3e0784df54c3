"""Several calls are one piece of work: one deadline, one request of the minute, one limit."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from claude_core import errors
from claude_core.clients import ClientKey
from claude_core.incoming import Incoming
from claude_core.serve import Kit
from claude_core.telemetry import Telemetry
from claude_core.workflows import Work, chain, parallel, prompt
from local.fake_claude.inprocess import Fake
from tests.core.asking import asked
from tests.doubles import AwsDouble

T = TypeVar("T")


class Working:
    """A client of a deployment, and work for it."""

    def __init__(self, aws: AwsDouble, claude: Fake) -> None:
        self.aws, self.claude = aws, claude
        self._settings = aws.settings(claude.url)
        key, self.client = aws.add_client()
        self.key = ClientKey.parse(key)

    def run(
        self, do: Callable[[Work], Awaitable[T]], *, seconds: float = 10, most: int | None = None
    ) -> tuple[T, int]:
        """What it gives, and what it has cost."""

        async def inner() -> tuple[T, int]:
            kit = Kit.build(self._settings, self.aws.runtime, Telemetry("tests"))
            try:
                deadline = asyncio.get_running_loop().time() + seconds
                begun = Work.begin(kit, Incoming("req_1"), self.key, deadline=deadline, most=most)
                work = await begun
                return await do(work), work.cost
            finally:
                await kit.close()

        return asyncio.run(inner())

    def row(self) -> dict[str, object]:
        return self.aws.row(self.client)


@pytest.fixture
def working(aws: AwsDouble, claude: Fake) -> Working:
    return Working(aws, claude)


def says(*texts: str) -> list[dict[str, str]]:
    return [{"name": "answer", "text": text} for text in texts]


def test_a_chain_hands_each_answer_to_the_next_step(working: Working) -> None:
    working.claude.plan(says("a draft", "a better one"))

    async def do(work: Work) -> list[str]:
        replies = await chain(
            work, prompt("Write a slogan"), lambda draft: prompt(f"Shorten: {draft}")
        )
        return [reply.text for reply in replies]

    texts, cost = working.run(do)
    assert texts == ["a draft", "a better one"]
    row = working.row()
    assert cost == sum(int(str(row[name])) for name in row if name.startswith("spent_"))
    (minute,) = (name for name in row if name.startswith("minute_"))
    assert int(str(row[minute])) == 9_999, "all of it is one request"


def test_what_runs_in_parallel_is_joined_in_its_order(working: Working) -> None:
    async def do(work: Work) -> str:
        parts = [prompt(f"[[fake:answer text={name}]]") for name in ("one", "two", "three")]
        joined = await parallel(
            work, parts, lambda texts: prompt(f"[[fake:answer text={'-'.join(texts)}]]")
        )
        return joined.text

    assert working.run(do)[0] == "one-two-three"
    assert asked(working.claude) == 4


def test_one_that_fails_ends_the_others_and_nothing_is_joined(working: Working) -> None:
    async def do(work: Work) -> None:
        parts = [prompt("[[fake:hang]]"), prompt("[[fake:bad_request]]")]
        with pytest.raises(errors.UpstreamRefused):
            await parallel(work, parts, lambda texts: prompt("join"))

    working.run(do)
    assert working.row()["open"] == {}
    working.claude.wait(left=1)


def test_a_step_that_might_break_the_works_limit_is_not_asked(working: Working) -> None:
    first = prompt("hello")

    async def do(work: Work) -> None:
        with pytest.raises(errors.OverBudget, match="this work may cost"):
            await chain(work, first, lambda text: prompt(text, model="balanced", max_tokens=1_000))

    working.run(do, most=first.worst_cost + 1_000)
    assert asked(working.claude) == 1


def test_at_once_no_more_is_begun_than_the_limit_holds(working: Working) -> None:
    one = prompt("hello")

    async def do(work: Work) -> None:
        with pytest.raises(errors.OverBudget):
            await parallel(work, [one] * 3, lambda texts: one)

    working.run(do, most=2 * one.worst_cost)
    assert asked(working.claude) <= 2


def test_what_may_be_billed_counts_though_nothing_came_of_it(working: Working) -> None:
    one = prompt("hello")
    working.claude.plan(["reset"])

    async def do(work: Work) -> None:
        with pytest.raises(errors.AnswerLost):
            await work(one)
        with pytest.raises(errors.OverBudget):
            await work(one)

    _, cost = working.run(do, most=one.worst_cost)
    assert cost == one.worst_cost


def test_the_deadline_is_that_of_all_steps_together(working: Working) -> None:
    async def do(work: Work) -> None:
        with pytest.raises(errors.DeadlinePassed):
            await chain(work, prompt("hello"), lambda text: prompt("[[fake:hang]]"))

    working.run(do, seconds=1.0)
    assert asked(working.claude) == 2
