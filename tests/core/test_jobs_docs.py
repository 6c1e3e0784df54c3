"""What docs/jobs.md says of jobs is what they are."""

import re
from pathlib import Path

import pytest

from claude_core.jobs import documents, drops, intake, notes
from claude_core.jobs.asking import INSTRUCTION, MAX_TOKENS, MODEL
from claude_core.jobs.files import UPLOAD_S
from claude_core.jobs.job import Status
from claude_core.jobs.listing import MOST, USUAL
from claude_core.messages import NON_STREAMING_MAX_TOKENS
from claude_core.wire import MAX_BODY_BYTES
from lambda_src.jobs import ROUTES
from lambda_src.line_jobs import WINDOW

PAGE = " ".join((Path(__file__).parents[2] / "docs" / "jobs.md").read_text().split())
NAMED = set(re.findall(r"`([^`]+)`", re.sub(r"```.*?```", "", PAGE)))


def test_every_field_of_a_job_is_named() -> None:
    assert intake.DOCUMENT.keys() | intake.REQUEST.keys() | intake.COMMON.keys() <= NAMED
    assert {f"{INSTRUCTION}", MODEL, *intake.LANES} <= NAMED


def test_every_route_and_status_is_named() -> None:
    told = re.sub(r"\?[a-z=&]+", "", " ".join(NAMED))
    assert all(route in told for route in ROUTES)
    assert {*Status} <= NAMED


def test_every_ending_type_and_option_of_a_file_is_named() -> None:
    assert {*documents.ENDINGS, *documents.TYPES, *drops.LINES, *drops.OPTIONS} <= NAMED


@pytest.mark.parametrize(
    "said",
    [
        f"a body of {MAX_BODY_BYTES / 1_000_000} MB at most",
        f"{documents.MOST_BYTES // 1_000_000} MB at most",
        f"would not take ({intake.REQUEST_BYTES // 1_000_000} MB)",
        f"{intake.DOC_ID_CHARACTERS} characters at most",
        f"`{MODEL}`, {MAX_TOKENS:,}",
        f"(else {NON_STREAMING_MAX_TOKENS:,})",
        f"{USUAL} a page and {MOST} at most",
        f"within {UPLOAD_S // 60} minutes",
        f"the first {notes.MOST_SAID} with a reason",
    ],
)
def test_a_number_of_the_page_is_the_kits(said: str) -> None:
    assert said in PAGE


def test_a_hundred_is_a_window() -> None:
    assert (WINDOW, "a hundred jobs at a time" in PAGE) == (100, True)
