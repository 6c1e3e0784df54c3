"""A user of the page: what a person does, in a word each, and what they would be alarmed by."""

import json
import re
from typing import Any

from playwright.sync_api import (
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Locator,
    Page,
    WebSocket,
    expect,
)

from tests.browser.service import Service

EXPECTED = re.compile(r"WebSocket connection to .* failed|status of 401|net::ERR_")
"""What Chromium itself writes where a test cuts a line or gives a wrong key."""


class Visitor:
    """One browser context with one page. `untoward` collects dialogs, foreign requests, errors."""

    def __init__(self, context: BrowserContext, service: Service) -> None:
        self.context, self.service = context, service
        self.untoward: list[str] = []
        self.frames: list[dict[str, Any]] = []
        """All that the page has sent over its websockets, in order."""
        self.page: Page = context.new_page()
        self.page.on("dialog", self._dialog)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.untoward.append(f"error: {error}"))
        self.page.on("popup", lambda page: self.untoward.append(f"window: {page.url}"))
        self.page.on("websocket", self._socket)
        context.on("request", lambda request: self._request(request.url))

    def _socket(self, socket: WebSocket) -> None:
        socket.on("framesent", lambda frame: self.frames.append(json.loads(frame)))

    def _request(self, url: str) -> None:
        if not url.startswith((self.service.url, "data:", "blob:")):
            self.untoward.append(f"request: {url}")

    def _dialog(self, dialog: Dialog) -> None:
        self.untoward.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not EXPECTED.search(message.text):
            self.untoward.append(f"console: {message.text}")

    def nothing_untoward(self) -> None:
        assert not self.untoward, self.untoward

    def visit(self, path: str = "/") -> None:
        self.page.goto(self.service.url + path)

    def sign_in(self, *, key: str | None = None, remember: bool = False) -> None:
        """As a person would; the page is opened first, if none is."""
        if self.page.url == "about:blank":
            self.visit()
        self.page.get_by_label("Client key").fill(key or self.service.key)
        self.page.get_by_label("Remember in this tab").set_checked(remember)
        self.page.get_by_role("button", name="Sign in").click()
        if key is None:
            expect(self.message).to_be_visible()

    def ask(self, text: str) -> None:
        self.message.fill(text)
        self.message.press("Enter")

    @property
    def message(self) -> Locator:
        return self.page.get_by_role("textbox", name="Message")

    @property
    def answer(self) -> Locator:
        """The last answer, as it is shown."""
        return self.page.locator(".turn").last.locator(".answer")

    @property
    def reply(self) -> Locator:
        """The last answer with all that is said below it."""
        return self.page.get_by_role("article", name="Claude").last

    @property
    def notice(self) -> Locator:
        return self.reply.locator(".notice")

    @property
    def conversations(self) -> Locator:
        return self.page.locator("#conversations .conversation")

    def press(self, name: str, within: Locator | None = None) -> None:
        (within or self.page).get_by_role("button", name=name, exact=True).click()

    def finished(self) -> None:
        """Wait until the last answer has ended, and is drawn."""
        expect(self.reply).to_have_attribute("aria-busy", "false")
        expect(self.answer).not_to_have_class(re.compile("growing"))
        expect(self.page.locator("#stop")).to_be_hidden()

    def violations(self, axe: str) -> list[dict[str, Any]]:
        """What axe-core finds serious or critical on the page as it stands."""
        self.page.evaluate(axe)
        found = self.page.evaluate("axe.run()")["violations"]
        return [one for one in found if one["impact"] in ("serious", "critical")]
