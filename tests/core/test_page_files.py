"""The chat page's files: third-party code as it was published, nothing inline, nothing far away."""

import re

import pytest

from local.paths import ROOT

PAGE = ROOT / "service_src" / "page"
VENDOR = PAGE / "vendor"
COPIES = [line.split() for line in (VENDOR / "COPIES").read_text().splitlines()]
OURS = sorted(
    path
    for path in PAGE.rglob("*")
    if path.suffix in (".html", ".css", ".js") and VENDOR not in path.parents
)


@pytest.mark.check  # npm has installed what was published
@pytest.mark.parametrize(("published", "copy"), COPIES, ids=[copy for _, copy in COPIES])
def test_what_is_vendored_is_byte_for_byte_what_was_published(published: str, copy: str) -> None:
    source = ROOT / "node_modules" / published
    assert (VENDOR / copy).read_bytes() == source.read_bytes(), "make vendor"


def test_nothing_is_vendored_that_is_not_listed_with_its_licence() -> None:
    there = {str(path.relative_to(VENDOR)) for path in VENDOR.rglob("*") if path.is_file()}
    assert there - {"COPIES"} == {copy for _, copy in COPIES}
    for name in ("marked", "dompurify", "highlight"):
        assert f"{name}.LICENSE" in there


@pytest.mark.parametrize("path", OURS, ids=lambda path: str(path.relative_to(PAGE)))
def test_a_file_of_the_page_fetches_nothing_from_elsewhere(path: object) -> None:
    text = (PAGE / str(path)).read_text()
    addresses = set(re.findall(r"https?://[^\s\"'`]+", text)) - {"http://www.w3.org/2000/svg"}
    assert not addresses


def test_the_page_needs_no_inline_script_or_style() -> None:
    html = (PAGE / "index.html").read_text()
    assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=|javascript:", html)
    assert not re.search(r"(?:src|href)=\"/", html), "addresses work below any path"
