"""Claude's batches as the kit asks for them, against the fake Claude."""

import json
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any, TypeVar

import pytest

from claude_core import errors
from claude_core.message_batches import MessageBatches
from local.fake_claude.inprocess import Fake
from tests.core.asking import run
from tests.doubles import AwsDouble

T = TypeVar("T")
PATH = "/v1/messages/batches"
PARAMS = {
    "model": "claude-haiku-5-5",
    "max_tokens": 50,
    "messages": [{"role": "user", "content": "hi"}],
}


def ask(aws: AwsDouble, fake: Fake, doing: Callable[[MessageBatches], Awaitable[T]]) -> T:
    return run(aws, fake.url, lambda claude: doing(MessageBatches(claude)))


async def read(batches: MessageBatches, id: str) -> set[str]:
    """The custom_ids of a batch's results."""
    async with aclosing(batches.results(id, within_s=1.0)) as lines:
        return {json.loads(line)["custom_id"] async for line in lines}


def body(count: int, params: dict[str, Any] | None = None) -> bytes:
    requests = [{"custom_id": f"r{at}", "params": params or PARAMS} for at in range(count)]
    return json.dumps({"requests": requests}).encode()


def test_a_batch_is_made_seen_and_read_line_by_line(aws: AwsDouble, claude: Fake) -> None:
    claude.batching(after_s=None)

    async def doing(batches: MessageBatches) -> None:
        made = await batches.create(body(30), within_s=10.0)
        assert (made.ended, made.total) == (False, 30)
        assert abs(made.created - time.time()) < 10
        claude.end_batches()
        assert (await batches.get(made.id)).ended
        assert await read(batches, made.id) == {f"r{at}" for at in range(30)}

    ask(aws, claude, doing)


def test_the_list_is_read_page_by_page_and_no_further_than_it_is_asked_for(
    aws: AwsDouble, claude: Fake
) -> None:
    claude.batching(after_s=None)

    async def doing(batches: MessageBatches) -> None:
        began = time.time()
        made = [(await batches.create(body(1), within_s=10.0)).id for _ in range(130)]
        assert [one.id for one in await batches.since(began - 60)] == made[::-1]
        assert await batches.since(time.time() + 60) == []

    ask(aws, claude, doing)
    assert claude.stats()["calls"][f"GET {PATH}"]["total"] == 3


@pytest.mark.parametrize("how", ["server_error", "overloaded", "reset", "rate_limited"])
def test_making_one_is_never_tried_again_by_itself(aws: AwsDouble, claude: Fake, how: str) -> None:
    claude.plan([how], route=f"POST {PATH}")
    with pytest.raises(errors.UpstreamFailed):
        ask(aws, claude, lambda batches: batches.create(body(1), within_s=10.0))
    assert claude.stats()["calls"][f"POST {PATH}"]["total"] == 1


def test_a_key_that_claude_does_not_know_makes_none(aws: AwsDouble, claude: Fake) -> None:
    claude.keys(["sk-ant-" + "another-key-for-tests"])
    with pytest.raises(errors.KeyRejected):
        ask(aws, claude, lambda batches: batches.create(body(1), within_s=10.0))


def test_looking_is_tried_again(aws: AwsDouble, claude: Fake) -> None:
    claude.plan(["server_error"], route=f"GET {PATH}/{{id}}")

    async def doing(batches: MessageBatches) -> None:
        made = await batches.create(body(1), within_s=10.0)
        assert (await batches.get(made.id)).id == made.id

    ask(aws, claude, doing)


@pytest.mark.parametrize(
    ("how", "error"),
    [("reset after=1", errors.AnswerLost), ("hang after=1", errors.DeadlinePassed)],
)
def test_results_that_break_off_are_an_error(
    aws: AwsDouble, claude: Fake, how: str, error: type[errors.KitError]
) -> None:
    claude.batching(after_s=0)

    async def doing(batches: MessageBatches) -> None:
        made = await batches.create(body(5), within_s=10.0)
        claude.end_batches()
        claude.plan([how], route=f"GET {PATH}/{{id}}/results")
        with pytest.raises(error):
            await read(batches, made.id)

    ask(aws, claude, doing)


@pytest.mark.parametrize("how", ["html", "truncated"])
def test_what_cannot_be_read_may_have_made_one(aws: AwsDouble, claude: Fake, how: str) -> None:
    claude.plan([how], route=f"POST {PATH}")
    with pytest.raises(errors.AnswerLost):
        ask(aws, claude, lambda batches: batches.create(body(1), within_s=10.0))
