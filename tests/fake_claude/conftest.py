"""One fake Claude for all of these tests, empty before each, and ways to talk to it."""

from collections.abc import Iterator
from typing import Any

import anthropic
import httpx2
import pytest

from local.fake_claude.inprocess import Fake, serve

KEY = "sk-ant-" + "for-these-tests"
HEADERS = {"x-api-key": KEY, "anthropic-version": "2023-06-01"}
MODEL = "claude-haiku-5-5"


def ask(text: str = "Why is the sky blue?", **fields: Any) -> dict[str, Any]:
    """A request that Claude answers, with whatever the test adds."""
    messages = [{"role": "user", "content": text}]
    return {"model": MODEL, "max_tokens": 200, "messages": messages, **fields}


@pytest.fixture(scope="session")
def server() -> Iterator[Fake]:
    with serve() as fake:
        yield fake


@pytest.fixture
def fake(server: Fake) -> Fake:
    server.reset()
    return server


@pytest.fixture(scope="session")
def _sdk(server: Fake) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=server.url, api_key=KEY, max_retries=0) as client:
        yield client


@pytest.fixture
def sdk(fake: Fake, _sdk: anthropic.Anthropic) -> anthropic.Anthropic:
    """The official client, as it comes, but for retries."""
    return _sdk


@pytest.fixture(scope="session")
def _http(server: Fake) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=server.url, headers=HEADERS, trust_env=False) as client:
        yield client


@pytest.fixture
def http(fake: Fake, _http: httpx2.Client) -> httpx2.Client:
    """HTTP with a good key, and nothing between the test and the bytes."""
    return _http
