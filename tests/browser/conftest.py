"""Headless Chromium, and the service that its page talks to."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.service import Service
from tests.browser.stand_in import StandIn
from tests.browser.visitor import Visitor
from tests.serving import serving

INSTALL = "apt-get update && apt-get install -y chromium"
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
"""Chromium's own sandbox does not run as root, as containers of CI do."""


@pytest.fixture
def service() -> Iterator[Service]:
    """What the page is tested against. Whatever else keeps to `Service` can stand here."""
    stand_in = StandIn()
    with serving(stand_in.app) as url:
        yield Service(url, stand_in.key, stand_in, stand_in)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    found = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    path = os.environ.get("CHROMIUM") or next(filter(None, found), "")
    if not path:
        if os.environ.get("CI") == "true":
            pytest.fail(f"no chromium here; {INSTALL}")
        pytest.skip(f"no chromium here; {INSTALL}")
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
    context.set_default_timeout(10_000)
    visitor = Visitor(context, service)
    yield visitor
    context.close()
    visitor.nothing_untoward()
