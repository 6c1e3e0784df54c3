"""The worker's smaller parts: calls made together, the health check, requests out of jobs."""

import asyncio
import json
from typing import Any, cast

import httpx2
import pytest

from claude_core.aws import Aws
from claude_core.errors import AwsUnreachable
from claude_core.insist import insist
from claude_core.jobs.files import Files
from claude_core.jobs.job import Job
from claude_core.messages import Request
from local.processes import free_port
from tests.cloud.virtual import VirtualLoop
from worker_src import health
from worker_src.bodies import CACHED_S, Bodies
from worker_src.together import Together

LONG = "word " * 2_000


def virtually(doing: Any) -> Any:
    loop = VirtualLoop()
    try:
        return loop.run(doing)
    finally:
        loop.close()


def test_what_comes_at_once_goes_out_together_ten_at_a_time() -> None:
    made: list[list[int]] = []

    async def call(items: list[int]) -> list[int]:
        made.append(items)
        return [item * 2 for item in items]

    async def go() -> list[int]:
        together = Together(call)
        return await asyncio.gather(*(together(at) for at in range(25)))

    assert virtually(go()) == [at * 2 for at in range(25)]
    assert [len(items) for items in made] == [10, 10, 5]


def test_a_call_that_fails_fails_for_its_own_items_alone() -> None:
    async def call(items: list[int]) -> list[int]:
        if 3 in items:
            raise AwsUnreachable("down")
        return items

    async def go() -> list[Any]:
        together = Together(call, most=2)
        return await asyncio.gather(*(together(at) for at in range(6)), return_exceptions=True)

    found = virtually(go())
    assert [at for at, one in enumerate(found) if isinstance(one, AwsUnreachable)] == [2, 3]


def test_whoever_leaves_before_the_call_is_not_part_of_it() -> None:
    made: list[list[int]] = []

    async def call(items: list[int]) -> list[int]:
        made.append(items)
        return items

    async def go() -> int:
        together = Together(call)
        left = asyncio.create_task(together(1))
        await asyncio.sleep(0)
        left.cancel()
        return await together(2)

    assert virtually(go()) == 2
    assert made == [[2]]


def test_insisting_ends_when_its_time_is_over() -> None:
    tries = 0

    async def never() -> None:
        nonlocal tries
        tries += 1
        raise AwsUnreachable("down")

    async def go() -> float:
        with pytest.raises(AwsUnreachable):
            await insist(never, seconds=60.0)
        return asyncio.get_running_loop().time()

    assert 50 < virtually(go()) <= 60
    assert tries < 20


@pytest.mark.parametrize(("well", "status"), [(True, 200), (False, 503)])
def test_the_health_check_says_whether_the_worker_turns(well: bool, status: int) -> None:
    async def go() -> int:
        port = free_port()
        server = await health.serve(lambda: well, port)
        async with server, httpx2.AsyncClient() as http:
            return (await http.get(f"http://127.0.0.1:{port}/health")).status_code

    assert asyncio.run(go()) == status


class Asked:
    """A worker's bodies, and a clock."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self._bodies = Bodies(Files(cast(Aws, None), "b"), streamed=False, now=lambda: self.now)

    def __call__(self, **doc: str) -> Request:
        body = json.dumps({"doc": doc})
        return asyncio.run(self._bodies.request(Job({"body": {"S": body}})))


def marked(request: Request) -> list[str]:
    """The texts that are marked for the prompt cache."""
    content = request.body["messages"][0]["content"]
    if isinstance(content, str):
        return []
    return [block["text"] for block in content if "cache_control" in block]


def test_a_document_is_asked_for_as_the_contract_says() -> None:
    request = Asked()(content="Hello")
    assert request.body["messages"] == [{"role": "user", "content": "Summarize:\n\nHello"}]
    assert (request.model.role, request.max_tokens) == ("balanced", 2_048)
    request = Asked()(content="Hello", instruction="Translate to French")
    assert request.body["messages"][0]["content"] == "Translate to French:\n\nHello"


def test_a_long_instruction_that_jobs_share_is_cached_from_its_second_use_on() -> None:
    asked = Asked()
    assert marked(asked(content="one", instruction=LONG)) == []
    assert marked(asked(content="two", instruction=LONG)) == [f"{LONG}:"]
    assert marked(asked(content="three", instruction="Short")) == []


def test_a_document_that_is_asked_several_things_is_cached_and_goes_first() -> None:
    asked = Asked()
    asked(content=LONG, instruction="Summarise")
    request = asked(content=LONG, instruction="Translate")
    assert marked(request) == [LONG]
    assert request.body["messages"][0]["content"][1]["text"] == "Translate"
    assert request.worst_cost > asked(content=LONG[:-10], instruction="Other").worst_cost


def test_what_was_shared_long_ago_is_not_marked() -> None:
    asked = Asked()
    asked(content="one", instruction=LONG)
    asked.now += CACHED_S + 1
    assert marked(asked(content="two", instruction=LONG)) == []


def test_a_short_text_is_never_marked_however_often_it_is_shared() -> None:
    asked = Asked()
    assert [marked(asked(content="x", instruction="Summarise")) for _ in range(3)] == [[], [], []]
