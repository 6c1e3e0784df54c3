"""Headless Chromium, and the service that its page talks to."""

from collections.abc import Iterator
from dataclasses import replace
from typing import cast

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, expect, sync_playwright
from starlette.applications import Starlette
from starlette.routing import Mount

from claude_core.settings import ChatSettings
from local.fake_claude.inprocess import Fake
from service_src.app import create
from service_src.server import configured
from tests import needs
from tests.browser.meddler import Meddler
from tests.browser.service import Service
from tests.browser.visitor import Visitor
from tests.chatting import BUDGET, LIMITS
from tests.doubles import CLAUDE_KEY, AwsDouble
from tests.serving import serving

FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
"""Chromium's own sandbox does not run as root, as containers of CI do."""
PATIENCE_MS = 30_000
"""How long a page may take for anything: a machine that is busy is slow, but not wrong."""


def pytest_runtest_setup(item: pytest.Item) -> None:
    needs.program("chromium")


@pytest.fixture
def path() -> str:
    """Below which the service is reached, as behind an edge that has other things too."""
    return ""


@pytest.fixture
def service(aws: AwsDouble, claude: Fake, path: str) -> Iterator[Service]:
    """The service itself, two tasks of it, against moto and the fake Claude."""
    settings = replace(aws.settings(claude.url, CLAUDE_KEY), stream_timeout_s="60", ping_s="15")
    table = aws.conversations_table()
    chat = ChatSettings(conversations_table=table, **(LIMITS | {"drain_s": "0.2"}))
    key, _ = aws.add_client(budget=BUDGET, models=("fast", "balanced", "deep"))
    tasks = Meddler([create(settings, aws.runtime, chat) for _ in range(2)])
    app = Starlette(routes=[Mount(path, tasks)], lifespan=tasks.lifespan)
    with serving(app, configured(cast(FastAPI, app), chat, host="127.0.0.1", port=0)) as url:
        yield Service(url + path, key, claude, tasks)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = needs.program("chromium")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def with_policy() -> bool:
    """Whether the browser heeds the page's Content-Security-Policy."""
    return True


@pytest.fixture
def visitor(chromium: Browser, service: Service, with_policy: bool) -> Iterator[Visitor]:
    """Somebody with a browser of their own, who notices whatever should not happen."""
    context = chromium.new_context(
        viewport={"width": 1180, "height": 800}, bypass_csp=not with_policy
    )
    context.set_default_timeout(PATIENCE_MS)
    visitor = Visitor(context, service)
    yield visitor
    context.close()
    visitor.nothing_untoward()
