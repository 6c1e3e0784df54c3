"""For everybody: screen readers, keyboards, phones, the dark."""

from typing import Literal

import pytest
from playwright.sync_api import Browser, expect

from local.paths import ROOT
from tests.browser.service import Service
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
RICH = """# Title

A [link](https://example.org) and `code`.

```python
def much_too_long_a_name_for_a_phone(of_one: int, and_two: int) -> int:  # a comment, and on, and on
    return of_one + and_two
```

| a | rather wide | table | with many | columns | for a | phone | to show |
|---|---:|---|---|---|---|---|---|
| 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 |

- [x] done
- [ ] open

> quoted, with averyveryveryverylongwordthatnobodywouldeverbreakbythemselvesbutabrowsermust
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_any_state(
    visitor: Visitor, service: Service, scheme: Literal["light", "dark"]
) -> None:
    axe = AXE.read_text()
    visitor.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    visitor.visit()
    assert visitor.violations(axe) == []
    visitor.sign_in(key="ck_wrong")
    expect(visitor.page.get_by_role("alert")).to_be_visible()
    assert visitor.violations(axe) == []
    visitor.sign_in()
    assert visitor.violations(axe) == []
    service.claude.plan([{"name": "hold", "after": 9, "text": RICH}])
    visitor.ask("Show all")
    expect(visitor.answer).to_contain_text("code")
    assert visitor.violations(axe) == []
    service.claude.release()
    visitor.finished()
    expect(visitor.answer.locator(".hljs-keyword").first).to_be_attached()
    assert visitor.violations(axe) == []
    for name in ("stream_error", "max_tokens", "bad_request"):
        service.claude.plan([{"name": name, "text": "A few words of it"}])
        visitor.ask("And now?")
        visitor.finished()
        expect(visitor.notice).to_be_visible()
    assert visitor.violations(axe) == []
    visitor.press("Edit message", visitor.notice)
    visitor.press("Delete Show all")
    assert visitor.violations(axe) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_theme_can_be_chosen_and_is_kept(visitor: Visitor, theme: str) -> None:
    visitor.sign_in(remember=True)
    toggle = visitor.page.get_by_role("button", name="Theme")
    for _ in range(("light", "dark").index(theme) + 1):
        toggle.click()
    visitor.page.reload()
    expect(toggle).to_have_accessible_name(f"Theme: {theme}. Change")
    shown = visitor.page.evaluate("getComputedStyle(document.documentElement).colorScheme")
    assert shown == theme


def test_a_phone_never_scrolls_sideways(chromium: Browser, service: Service) -> None:
    context = chromium.new_context(
        viewport={"width": 360, "height": 640}, is_mobile=True, has_touch=True
    )
    visitor = Visitor(context, service)
    page = visitor.page

    def fits() -> None:
        assert page.evaluate("document.scrollingElement.scrollWidth") <= 360
        assert page.evaluate("document.getElementById('scroller').scrollWidth") <= 360

    visitor.visit()
    fits()
    visitor.sign_in()
    fits()
    service.claude.plan([{"text": RICH}])
    visitor.ask("Show all of it, averyveryveryverylongwordthatnobodywouldeverbreakbythemselves")
    visitor.finished()
    fits()
    toggle = page.get_by_role("button", name="Conversations")
    expect(visitor.conversations.first).to_be_hidden()
    toggle.click()
    expect(visitor.conversations.first).to_be_visible()
    assert visitor.violations(AXE.read_text()) == []
    visitor.conversations.first.click()
    expect(visitor.conversations.first).to_be_hidden()
    context.close()
    visitor.nothing_untoward()


def test_the_keyboard_is_enough(visitor: Visitor, service: Service) -> None:
    page, press = visitor.page, visitor.page.keyboard.press
    visitor.visit()
    expect(page.get_by_label("Client key")).to_be_focused()
    page.keyboard.insert_text(service.key)
    press("Enter")
    expect(visitor.message).to_be_focused()
    page.keyboard.type("One")
    press("Shift+Enter")
    page.keyboard.type("two")
    service.claude.plan([{"name": "hold", "after": 1, "text": "Held for long"}])
    press("Enter")
    expect(visitor.answer).to_have_text("Held")
    press("Escape")
    visitor.finished()
    expect(page.locator(".bubble")).to_have_text("One\ntwo")
    expect(visitor.message).to_be_focused()
    press("ArrowUp")
    expect(page.get_by_role("textbox", name="Edit message")).to_be_focused()
    page.keyboard.insert_text(" three")
    press("Enter")
    visitor.finished()
    expect(page.locator(".bubble")).to_contain_text("three")
    press("Control+k")
    expect(page.locator("#empty")).to_be_visible()
    expect(visitor.message).to_be_focused()


def test_the_first_tab_stop_skips_to_the_message(visitor: Visitor) -> None:
    visitor.sign_in()
    skip = visitor.page.get_by_role("link", name="Skip to the message")
    skip.focus()
    expect(skip).to_be_in_viewport()
    visitor.page.keyboard.press("Enter")
    expect(visitor.message).to_be_focused()


def test_a_screen_reader_hears_the_end_and_not_each_token(
    visitor: Visitor, service: Service
) -> None:
    visitor.sign_in()
    visitor.page.evaluate(
        "window.heard = []; new MutationObserver(() => heard.push(said.textContent))"
        ".observe(said, { childList: true })"
    )
    service.claude.plan([{"text": " word" * 200}])
    visitor.ask("Go")
    visitor.finished()
    expect(visitor.page.get_by_role("status")).to_contain_text("Answer finished, 200 tokens.")
    assert len(set(visitor.page.evaluate("heard"))) <= 3
    live = "[aria-live]:not(#said), [role=log], .turn [role=status]"
    expect(visitor.page.locator(live)).to_have_count(0)
