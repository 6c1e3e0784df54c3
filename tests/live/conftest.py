"""The deployment under test: the local cloud (one that is up, or one of its own), or a real one."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import pytest
from anthropic.types import MessageParam

from local import up
from local.paths import OUTPUTS, ROOT
from tests.rig.rig import Outcome, run

RIG = "test_queue_rig"
"""Its module."""


@dataclass(frozen=True)
class Deployment:
    """What a user holds after a deploy: the stacks' outputs and a client key."""

    outputs: dict[str, dict[str, str]]
    key: str

    @property
    def url(self) -> str:
        return self.outputs["ServerlessStack"]["ApiUrl"].rstrip("/")

    def client(self, key: str | None = None) -> anthropic.Anthropic:
        return anthropic.Anthropic(base_url=self.url, api_key=key or self.key, max_retries=0)

    def async_client(self) -> anthropic.AsyncAnthropic:
        return anthropic.AsyncAnthropic(base_url=self.url, api_key=self.key, max_retries=0)

    def call(self, route: str, *, key: str | None = None, **request: Any) -> httpx2.Response:
        method, path = route.split(" ")
        headers = {"x-api-key": self.key if key is None else key}
        return httpx2.request(method, self.url + path, headers=headers, timeout=40, **request)

    def fake(self, path: str) -> Any:
        """What the fake Claude has counted."""
        return httpx2.get(self.outputs["Local"]["ClaudeUrl"] + path, timeout=10).json()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--outputs", help="a deployment's outputs: cdk deploy --outputs-file FILE")


@pytest.fixture(scope="session")
def deployment(request: pytest.FixtureRequest) -> Iterator[Deployment]:
    if given := request.config.getoption("--outputs"):
        found = json.loads(Path(given).read_text())
        named = {name.removeprefix("prod-"): values for name, values in found.items()}
        yield Deployment(named, os.environ["KIT_CLIENT_KEY"])
        return
    started = up.running() is None
    if started:
        local("up", "--detach")
    try:
        outputs = json.loads(OUTPUTS.read_text())
        yield Deployment(outputs, outputs["Local"]["ClientKey"])
    finally:
        if started:
            local("stop")


def told(script: str) -> list[MessageParam]:
    """A conversation that tells the fake Claude what to do."""
    return [{"role": "user", "content": f"[[fake: {script}]]"}]


def local(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "local", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What waits for minutes is begun before all else and looked at after it: the batch, then the
    rig (see `rigged`)."""
    ends = ("test_the_batch_lane_is_asked_first", "", "test_a_batch_is_answered_at_half", RIG)

    def place(item: pytest.Item) -> int:
        return next((at for at, name in enumerate(ends) if name and name in item.nodeid), 1)

    items.sort(key=place)


@pytest.fixture(scope="session", autouse=True)
def rigged(request: pytest.FixtureRequest) -> Iterator["Future[Outcome] | None"]:
    """The rig, begun first and beside all else: of its minutes it waits through most."""
    wanted = any(RIG in item.nodeid for item in request.session.items)
    if not wanted or "Local" not in request.getfixturevalue("deployment").outputs:
        yield None
        return
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(run, 1_000, say=print)


@pytest.fixture
def only_local(deployment: Deployment) -> Deployment:
    """For tests that need the fake Claude, or the right to change things."""
    if "Local" not in deployment.outputs:
        pytest.skip("needs the local cloud; this is a real deployment")
    return deployment
