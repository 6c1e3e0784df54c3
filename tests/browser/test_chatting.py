"""Signing in, asking, stopping, changing: what a person does all day."""

import re

import pytest
from playwright.sync_api import expect

from claude_core.clients import new_key
from tests.browser.service import Service
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser


def test_a_client_key_signs_in_and_stays_out_of_every_address(
    visitor: Visitor, service: Service
) -> None:
    addresses: list[str] = []
    visitor.context.on("request", lambda request: addresses.append(request.url))
    visitor.page.on("websocket", lambda socket: addresses.append(socket.url))
    visitor.sign_in()
    visitor.ask("Hello")
    visitor.finished()
    assert any("/chat" in address for address in addresses)
    assert not any(service.key[3:] in address for address in addresses)
    assert (
        visitor.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])").find(
            service.key
        )
        == -1
    )


@pytest.mark.parametrize("path", ["/some/stage"])
def test_the_page_works_below_any_path(visitor: Visitor) -> None:
    visitor.sign_in()
    visitor.ask("Hello")
    visitor.finished()
    expect(visitor.answer).not_to_be_empty()


def test_a_wrong_key_says_so_and_the_next_try_works(visitor: Visitor) -> None:
    visitor.sign_in(key="ck_too-short")
    expect(visitor.page.get_by_role("alert")).to_contain_text("43 letters")
    visitor.sign_in(key=new_key())
    expect(visitor.page.get_by_role("alert")).to_contain_text("not accepted")
    visitor.sign_in()
    expect(visitor.page.get_by_role("alert")).to_be_hidden()


def test_an_answer_is_shown_as_it_arrives(visitor: Visitor, service: Service) -> None:
    service.claude.plan([{"name": "hold", "after": 3, "text": "One two three four **five** six."}])
    visitor.sign_in()
    visitor.ask("Count")
    expect(visitor.answer).to_have_text("One two three")
    expect(visitor.page.get_by_role("button", name="Stop")).to_be_visible()
    service.claude.release()
    visitor.finished()
    expect(visitor.answer).to_have_text("One two three four five six.")
    expect(visitor.answer.locator("strong")).to_have_text("five")
    expect(visitor.reply.locator(".facts")).to_contain_text("Sonnet 5.5 · ")
    expect(visitor.page.locator("#spent")).to_contain_text(re.compile(r"\d tokens · \$0\.\d+"))
    expect(visitor.page.get_by_role("status")).to_contain_text("Answer finished")


@pytest.mark.parametrize("way", ["key", "button"])
def test_stop_keeps_the_part_and_says_that_it_is_one(
    visitor: Visitor, service: Service, way: str
) -> None:
    service.claude.plan([{"name": "hold", "after": 2, "text": "One two three"}])
    visitor.sign_in()
    visitor.ask("Count")
    expect(visitor.answer).to_have_text("One two")
    if way == "key":
        visitor.page.keyboard.press("Escape")
    else:
        visitor.press("Stop")
    visitor.finished()
    expect(visitor.notice).to_contain_text("Stopped")
    expect(visitor.notice).to_contain_text("only a part")
    expect(visitor.answer).to_have_text("One two")
    assert visitor.frames[-1]["type"] == "cancel"


def test_retry_replaces_the_answer_and_tells_the_service_which(
    visitor: Visitor, service: Service
) -> None:
    service.claude.plan([{"name": "stream_error", "after": 1, "text": "Half a word"}])
    visitor.sign_in()
    visitor.ask("Speak")
    visitor.finished()
    expect(visitor.notice).to_contain_text("Claude is overloaded")
    expect(visitor.notice).to_contain_text("Trying again may help")
    visitor.press("Try again", visitor.notice)
    visitor.finished()
    expect(visitor.notice).to_be_hidden()
    expect(visitor.page.locator(".turn")).to_have_count(1)
    first, second = [frame for frame in visitor.frames if frame["type"] == "message"]
    assert second["content"] == first["content"] == "Speak"
    assert second["replaces"] == first["id"] != second["id"]


def test_where_retrying_is_no_use_the_page_says_so(visitor: Visitor, service: Service) -> None:
    service.claude.plan([{"name": "bad_request", "message": "messages: too many"}])
    visitor.sign_in()
    visitor.ask("Hm")
    visitor.finished()
    expect(visitor.notice).to_contain_text("will not help")
    expect(visitor.notice.get_by_role("button", name="Try again")).to_have_count(0)
    visitor.press("Edit message", visitor.notice)
    expect(visitor.page.get_by_label("Edit message").first).to_be_focused()


@pytest.mark.parametrize(
    ("name", "words"), [("max_tokens", "longest length"), ("refusal", "declined to go on")]
)
def test_an_answer_that_did_not_simply_end_says_why(
    visitor: Visitor, service: Service, name: str, words: str
) -> None:
    service.claude.plan([{"name": name, "text": "a b c d e f"}])
    visitor.sign_in()
    visitor.ask("Tell")
    visitor.finished()
    expect(visitor.notice).to_contain_text(words)


def test_edit_and_resend_forgets_what_followed(visitor: Visitor, service: Service) -> None:
    visitor.sign_in()
    for text in ("First", "Second", "Third"):
        visitor.ask(text)
        visitor.finished()
    second = visitor.page.locator(".turn").nth(1)
    second.hover()
    visitor.press("Edit and send again", second)
    visitor.page.get_by_role("textbox", name="Edit message").fill("Changed")
    visitor.page.keyboard.press("Enter")
    visitor.finished()
    expect(visitor.page.locator(".bubble")).to_have_text(["First", "Changed"])
    messages = [frame for frame in visitor.frames if frame["type"] == "message"]
    assert messages[-1]["replaces"] == messages[1]["id"]


def test_the_chosen_model_is_asked_and_named(visitor: Visitor, service: Service) -> None:
    visitor.sign_in()
    visitor.page.get_by_label("Model").select_option(label="Haiku 5.5, fast")
    visitor.ask("Hello")
    visitor.finished()
    assert visitor.frames[-1]["model"] == "fast"
    expect(visitor.reply.locator(".facts")).to_contain_text("Haiku 5.5")
