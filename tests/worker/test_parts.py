"""The worker's smaller parts: the health check, and requests out of jobs."""

import asyncio
import json
from typing import cast

import httpx2
import pytest

from claude_core.aws import Aws
from claude_core.jobs.files import Files
from claude_core.jobs.job import Job
from claude_core.messages import Request
from claude_core.wire import Json
from local.processes import free_port
from worker_src import health
from worker_src.bodies import CACHED_S, REMEMBERED, Bodies

LONG = "word " * 2_000


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

    def __init__(self, *, streamed: bool = False) -> None:
        self.now = 1_000.0
        files = Files(cast(Aws, None), "b")
        self._bodies = Bodies(files, streamed=streamed, now=lambda: self.now)

    def __call__(self, **doc: str) -> Request:
        return self.whole({"doc": doc})

    def whole(self, body: Json) -> Request:
        return asyncio.run(self._bodies.request(Job({"body": {"S": json.dumps(body)}})))


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


def test_a_request_of_the_messages_api_is_asked_as_it_is() -> None:
    said = {"model": "balanced", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
    body = Asked().whole({"request": said}).body
    assert (body["messages"], body["max_tokens"]) == (said["messages"], 9)
    assert not body.get("stream")


def test_what_runs_where_long_answers_may_is_streamed() -> None:
    request = Asked(streamed=True)(content="Hello")
    assert request.body["stream"] is True


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


def test_two_long_instructions_are_not_one() -> None:
    asked = Asked()
    asked(content="one", instruction=LONG)
    assert marked(asked(content="two", instruction=f"Another {LONG}")) == []


def test_only_what_was_asked_with_lately_is_remembered_and_the_oldest_is_forgotten() -> None:
    asked = Asked()
    for at in range(REMEMBERED):
        asked(content="one", instruction=f"{at} {LONG}")
    for at in (0, REMEMBERED - 1):
        assert marked(asked(content="two", instruction=f"{at} {LONG}")), "a thousand are remembered"
    asked(content="one", instruction=f"one more {LONG}")
    assert marked(asked(content="two", instruction=f"1 {LONG}")) == []
