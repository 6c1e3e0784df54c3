"""Conversations are kept in the browser: over a reload, by name, for their own client alone."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.service import Service
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser


def two_conversations(visitor: Visitor) -> None:
    visitor.sign_in(remember=True)
    for text in ("What is a lighthouse?", "Name three rivers"):
        visitor.page.keyboard.press("Control+k")
        visitor.ask(text)
        visitor.finished()


def test_several_conversations_are_kept_over_a_reload(visitor: Visitor, service: Service) -> None:
    two_conversations(visitor)
    visitor.page.reload()
    titles = visitor.page.locator("#conversations .title")
    expect(titles).to_have_text(["Name three rivers", "What is a lighthouse?"])
    expect(visitor.page.locator(".bubble")).to_have_text("Name three rivers")
    visitor.conversations.nth(1).click()
    expect(visitor.page.locator(".bubble")).to_have_text("What is a lighthouse?")
    expect(visitor.answer).not_to_be_empty()
    visitor.ask("And a lightship?")
    visitor.finished()
    expect(titles).to_have_text(["What is a lighthouse?", "Name three rivers"])


def test_a_conversation_goes_on_where_the_service_has_it(
    visitor: Visitor, service: Service
) -> None:
    sockets: list[str] = []
    visitor.page.on("websocket", lambda socket: sockets.append(socket.url))
    two_conversations(visitor)
    visitor.conversations.nth(1).click()
    visitor.ask("Go on")
    visitor.finished()
    with_ids = [url.partition("?conversation=")[2] for url in sockets if "?" in url]
    assert with_ids == [with_ids[0]]
    assert re.fullmatch("[A-Za-z0-9_-]+", with_ids[0])


def test_rename_and_delete(visitor: Visitor) -> None:
    two_conversations(visitor)
    visitor.press("Rename Name three rivers")
    visitor.page.get_by_label("Title").fill("Rivers")
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.get_by_role("heading", name="Rivers")).to_be_visible()
    visitor.press("Delete What is a lighthouse?")
    visitor.press("Delete")
    visitor.page.reload()
    expect(visitor.page.locator("#conversations .title")).to_have_text(["Rivers"])


def test_two_tabs_show_the_same_conversation(visitor: Visitor) -> None:
    visitor.sign_in(remember=True)
    visitor.ask("One")
    visitor.finished()
    other = Visitor(visitor.context, visitor.service)
    other.sign_in()
    expect(other.page.locator(".bubble")).to_have_text("One")
    other.ask("Two")
    other.finished()
    expect(visitor.page.locator(".bubble")).to_have_text(["One", "Two"])
    visitor.finished()
    visitor.ask("Three")
    visitor.finished()
    expect(other.page.locator(".bubble")).to_have_text(["One", "Two", "Three"])
    other.nothing_untoward()


def test_another_key_sees_none_of_them(visitor: Visitor) -> None:
    two_conversations(visitor)
    names = visitor.page.evaluate("Object.keys(localStorage).filter(n => n.startsWith('chat:'))")
    visitor.press("Sign out")
    expect(visitor.page.get_by_label("Client key")).to_be_focused()
    assert visitor.page.evaluate("sessionStorage.length") == 0
    visitor.page.evaluate(
        "names => names.forEach(n => {"
        "localStorage.setItem(n.replace(/^chat:.{8}/, 'chat:somebody'), localStorage[n]);"
        "localStorage.removeItem(n)})",
        names,
    )
    visitor.sign_in()
    expect(visitor.conversations).to_have_count(0)
