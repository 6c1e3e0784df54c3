"""Reloads, lost lines and replaced tasks: no answer is lost, no part passes for a whole."""

import pytest
from playwright.sync_api import expect

from tests.browser.service import Service
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

TEXT = "One two three four five six."
HELD = {"name": "hold", "after": 3, "text": TEXT}


def in_the_middle(visitor: Visitor, service: Service, *, remember: bool = True) -> None:
    service.claude.plan([HELD])
    visitor.sign_in(remember=remember)
    visitor.ask("Count")
    expect(visitor.answer).to_have_text("One two three")


@pytest.mark.parametrize("remember", [True, False], ids=["remembered", "signed in anew"])
def test_a_reload_in_mid_stream_sees_the_answer_complete(
    visitor: Visitor, service: Service, remember: bool
) -> None:
    in_the_middle(visitor, service, remember=remember)
    visitor.page.reload()
    if not remember:
        visitor.sign_in()
    expect(visitor.answer).to_have_text("One two three")
    service.claude.release()
    visitor.finished()
    expect(visitor.answer).to_have_text(TEXT)
    expect(visitor.notice).to_have_count(0)
    asked = [frame for frame in visitor.frames if frame["type"] == "message"]
    assert len(asked) == 1
    assert asked[0]["resume"] is True
    resumed = visitor.frames[-1]
    assert resumed == {"type": "resume", "id": asked[0]["id"], "after": 3}


def test_a_lost_line_comes_back_by_itself_and_the_page_says_so(
    visitor: Visitor, service: Service
) -> None:
    in_the_middle(visitor, service)
    service.task.lose()
    expect(visitor.page.locator("#status")).to_contain_text("connection was lost")
    expect(visitor.page.get_by_role("status")).to_contain_text("Connected again")
    service.claude.release()
    visitor.finished()
    expect(visitor.answer).to_have_text(TEXT)
    expect(visitor.page.locator("#status")).to_be_hidden()


def test_a_drained_task_leaves_a_part_that_is_called_one(
    visitor: Visitor, service: Service
) -> None:
    in_the_middle(visitor, service)
    service.task.drain()
    expect(visitor.page.locator("#status")).to_contain_text("server is being replaced")
    visitor.finished()
    expect(visitor.answer).to_have_text("One two three")
    expect(visitor.notice).to_contain_text("only a part")
    expect(visitor.page.get_by_role("status")).to_contain_text("Connected again")
    visitor.page.reload()
    expect(visitor.notice).to_contain_text("only a part")
    visitor.press("Try again", visitor.notice)
    visitor.finished()
    expect(visitor.notice).to_have_count(0)


def test_stop_works_while_the_line_is_lost(visitor: Visitor, service: Service) -> None:
    in_the_middle(visitor, service)
    service.task.refuse(1013, "overloaded_error", "The task is full", times=1)
    service.task.lose()
    expect(visitor.page.locator("#status")).to_contain_text("The task is full")
    visitor.page.keyboard.press("Escape")
    visitor.finished()
    expect(visitor.notice).to_contain_text("Stopped")


def test_a_full_service_is_said_and_the_user_can_hurry(visitor: Visitor, service: Service) -> None:
    service.task.refuse(1013, "overloaded_error", "The task is full", times=3)
    visitor.sign_in()
    visitor.ask("Hello")
    expect(visitor.page.locator("#status")).to_contain_text("The task is full.")
    visitor.press("Reconnect now")
    visitor.finished()
    expect(visitor.answer).not_to_be_empty()


def test_an_idle_line_sleeps_in_silence_and_wakes_for_a_message(
    visitor: Visitor, service: Service
) -> None:
    visitor.sign_in()
    visitor.ask("One")
    visitor.finished()
    service.task.fall_asleep()
    expect(visitor.page.locator("body")).to_have_attribute("data-connection", "asleep")
    expect(visitor.page.locator("#status")).to_be_hidden()
    visitor.ask("Two")
    visitor.finished()
    expect(visitor.page.locator(".turn")).to_have_count(2)


def test_a_key_that_is_no_longer_allowed_leads_back_to_the_door(
    visitor: Visitor, service: Service
) -> None:
    service.task.refuse(4403, "permission_error", "this client is disabled")
    visitor.visit()
    visitor.page.get_by_label("Client key").fill(service.key)
    visitor.press("Sign in")
    expect(visitor.page.get_by_role("alert")).to_contain_text("this client is disabled")
    expect(visitor.page.get_by_label("Client key")).to_be_empty()


def test_another_conversation_does_not_stop_the_answer_of_this_one(
    visitor: Visitor, service: Service
) -> None:
    in_the_middle(visitor, service)
    visitor.page.keyboard.press("Control+k")
    expect(visitor.page.locator("#empty")).to_be_visible()
    service.claude.release()
    expect(visitor.conversations.first).to_contain_text("new answer")
    visitor.conversations.first.click()
    visitor.finished()
    expect(visitor.answer).to_have_text(TEXT)
