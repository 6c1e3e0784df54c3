"""A task protects itself while it works, and not for ever."""

import asyncio
import json
from typing import Any

import httpx2

from worker_src.protection import LONGEST_S, PATH, Protection

URL = "http://agent"
ON, OFF = {"ProtectionEnabled": True, "ExpiresInMinutes": 15}, {"ProtectionEnabled": False}


class Agent:
    """The agent beside a task; `held` plays `busy` moments and says when it was tired."""

    def __init__(self, *, status: int = 200, url: str | None = URL) -> None:
        self.now, self.asked, self.troubles = 0.0, list[Any](), list[str]()
        self._status, self._url = status, url

    def held(self, *moments: tuple[float, bool]) -> list[bool]:
        def answer(request: httpx2.Request) -> httpx2.Response:
            assert (request.method, request.url.path) == ("PUT", PATH)
            self.asked.append(json.loads(request.content))
            return httpx2.Response(self._status, json={})

        async def go() -> list[bool]:
            async with httpx2.AsyncClient(transport=httpx2.MockTransport(answer)) as http:
                protection = Protection(
                    http, self._url, now=lambda: self.now, trouble=self.troubles.append
                )
                found = []
                for self.now, busy in moments:
                    found.append(await protection.hold(busy=busy))
                return found

        return asyncio.run(go())


def test_it_begins_with_the_first_job_and_ends_with_the_last() -> None:
    agent = Agent()
    agent.held((0, False), (5, True), (10, True), (15, False), (20, False))
    assert agent.asked == [ON, OFF]


def test_it_is_renewed_every_five_minutes() -> None:
    agent = Agent()
    agent.held(*((at * 60.0, True) for at in range(1, 17)))
    assert agent.asked == [ON] * 4


def test_after_an_hour_the_task_is_to_empty_itself_and_then_begins_anew() -> None:
    agent = Agent()
    tired = agent.held(
        (1, True), (LONGEST_S, True), (LONGEST_S + 1, True), (4_000, False), (4_001, True)
    )
    assert tired == [False, False, True, False, False]
    assert agent.asked[-2:] == [OFF, ON]


def test_an_agent_that_fails_is_trouble_and_not_the_end() -> None:
    agent = Agent(status=500)
    assert agent.held((1, True)) == [False]
    assert len(agent.troubles) == 1


def test_without_an_agent_there_is_nothing_to_ask() -> None:
    agent = Agent(url=None)
    assert agent.held((1, True), (LONGEST_S + 2, True)) == [False, True]
    assert not agent.asked
