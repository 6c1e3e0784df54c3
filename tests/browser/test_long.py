"""Long answers: drawn once, followed to their end, and never against the reader's will."""

import pytest
from playwright.sync_api import expect

from local.fake_claude.tokens import pieces
from tests.browser.service import Service
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

PARAGRAPHS = "\n\n".join(f"Paragraph {n} of many, with **bold** words." for n in range(120))
HELD_AT = 500
AT_END = "() => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 2"


def held(visitor: Visitor, service: Service, text: str = PARAGRAPHS) -> None:
    service.claude.plan([{"name": "hold", "after": HELD_AT, "text": text}])
    visitor.sign_in()
    visitor.ask("Much, please")
    expect(visitor.answer).to_contain_text("Paragraph 60")


def test_what_is_drawn_is_not_drawn_again(visitor: Visitor, service: Service) -> None:
    held(visitor, service)
    first = visitor.answer.locator("p").first.element_handle()
    service.claude.release()
    visitor.finished()
    expect(visitor.answer.locator("p")).to_have_count(120)
    assert visitor.page.evaluate("(one) => one.isConnected", first)


def test_the_page_follows_the_answer_until_the_reader_scrolls_up(
    visitor: Visitor, service: Service
) -> None:
    held(visitor, service)
    page = visitor.page
    page.wait_for_function(AT_END)
    visitor.answer.hover()
    page.mouse.wheel(0, -600)
    expect(page.locator("#jump")).to_be_visible()
    page.wait_for_function(f"() => !({AT_END})()")
    service.claude.release()
    visitor.finished()
    assert not page.evaluate(AT_END)
    visitor.press("Jump to latest")
    page.wait_for_function(AT_END)
    expect(page.locator("#jump")).to_be_hidden()


def test_a_long_block_of_code_grows_in_place_and_is_coloured_at_its_end(
    visitor: Visitor, service: Service
) -> None:
    lines = "\n".join(f"value_{n} = {n}  # Paragraph {n}" for n in range(200))
    held(visitor, service, f"```python\n{lines}\n```\n\nDone.")
    code = visitor.answer.locator("pre").element_handle()
    expect(visitor.answer.locator(".hljs-comment")).to_have_count(0)
    assert code
    service.claude.release()
    visitor.finished()
    expect(visitor.answer.locator(".hljs-comment")).to_have_count(200)
    expect(visitor.answer.locator("code")).to_have_text(lines)


def test_code_is_copied_as_it_stands(visitor: Visitor, service: Service) -> None:
    visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
    service.claude.plan([{"text": "```sh\nls -la | wc\n\techo '<b>'\n```"}])
    visitor.sign_in()
    visitor.ask("How?")
    visitor.finished()
    visitor.press("Copy sh code")
    expect(visitor.page.get_by_role("status")).to_have_text("Code copied")
    copied = visitor.page.evaluate("navigator.clipboard.readText()")
    assert copied == "ls -la | wc\n\techo '<b>'"


DEFINED_LAST = "See [the page][1].\n\nMore.\n\n[1]: https://example.org/"
SO_FAR = [
    pytest.param("See [the page][1].\n\nMore.", id="not yet defined"),
    pytest.param("See [the page][1].\n\nMore.\n\n[1]: https://", id="half an address"),
]


@pytest.mark.parametrize("so_far", SO_FAR)
def test_a_reference_that_is_defined_last_is_a_link_after_all(
    visitor: Visitor, service: Service, so_far: str
) -> None:
    after = len(pieces(so_far))
    service.claude.plan([{"name": "hold", "after": after, "text": DEFINED_LAST}])
    visitor.sign_in()
    visitor.ask("Where?")
    expect(visitor.answer).to_contain_text("More.")
    service.claude.release()
    visitor.finished()
    expect(visitor.answer.get_by_role("link")).to_have_attribute("href", "https://example.org/")
