"""`kit jobs`: a client's jobs listed, shown, cancelled, exported."""

import csv
import io
import json

import pytest

from claude_core.models import NANO
from tests.kit.jobs_shell import Shell

ENDS = {"docs/001.md": "failed", "docs/002.md": "queued"}


@pytest.fixture
def jobs(shell: Shell) -> Shell:
    """Three jobs: done, failed, and one that waits."""
    shell.write(3)
    shell.api.steps = lambda doc: (ENDS.get(doc, "done"),)
    shell("submit", "docs", code=1)
    return shell


def id_of(shell: Shell, doc: str) -> str:
    (id,) = [id for id, kept in shell.api.jobs.items() if kept.shown["doc_id"] == doc]
    return id


def test_the_list_has_a_line_a_job_with_its_state_its_cost_and_why_it_failed(jobs: Shell) -> None:
    lines = jobs.said("jobs", "list").splitlines()
    assert len(lines) == 4
    (done,) = [line for line in lines if "docs/000.md" in line]
    assert all(word in done for word in ("done", "balanced", "$0.002000", " s "))
    (failed,) = [line for line in lines if "docs/001.md" in line]
    assert "Claude took longer than a job has" in failed


def test_the_list_is_narrowed_and_bounded_and_says_that_there_is_more(jobs: Shell) -> None:
    (failed,) = jobs.json("jobs", "list", "--status", "failed")
    assert failed["doc_id"] == "docs/001.md"
    said = jobs.said("jobs", "list", "--limit", "2")
    assert len(said.splitlines()) == 4
    assert "older ones" in said
    assert "none is dead" in jobs.said("jobs", "list", "--status", "dead")
    assert "is not one of" in jobs.said("jobs", "list", "--status", "gone", code=2)


def test_a_long_list_is_read_page_by_page(shell: Shell) -> None:
    shell.write(130)
    shell("submit", "docs")
    before = shell.api.calls["GET /v1/jobs"]
    assert len(shell.json("jobs", "list", "--limit", "120")) == 120
    assert shell.api.calls["GET /v1/jobs"] == before + 2


def test_no_jobs_at_all_is_said_with_what_to_do(shell: Shell) -> None:
    assert "kit submit FILE" in shell.said("jobs", "list")


def test_a_job_is_shown_with_its_answer_or_with_why_it_has_none(jobs: Shell) -> None:
    said = jobs.said("jobs", "show", id_of(jobs, "docs/000.md"))
    for word in ("done", "docs/000.md", "claude-sonnet-5-5", "9 in", "about docs/000.md"):
        assert word in said
    assert "Claude took longer" in jobs.said("jobs", "show", id_of(jobs, "docs/001.md"))


def test_the_answer_alone_can_be_piped_and_what_has_none_fails(jobs: Shell) -> None:
    done, queued = id_of(jobs, "docs/000.md"), id_of(jobs, "docs/002.md")
    assert jobs("jobs", "show", done, "--text").stdout == "about docs/000.md\n"
    assert "is queued: it has no answer" in jobs.said("jobs", "show", queued, "--text", code=1)
    assert jobs.json("jobs", "show", done)["result"]["type"] == "message"


@pytest.mark.parametrize("id", ["job_x", "../uploads", "job_" + "a" * 8 + "/" + "b" * 22])
def test_what_is_no_id_is_said_so_and_not_asked(jobs: Shell, id: str) -> None:
    assert "is no job's id" in jobs.said("jobs", "show", id, code=2)
    assert jobs.api.calls["GET /v1/jobs/{id}"] == 0


def test_a_job_that_is_not_there_is_said(jobs: Shell) -> None:
    id = "job_" + "a" * 8 + "_" + "b" * 22
    assert "there is no such job" in jobs.said("jobs", "show", id, code=1)


def test_what_waits_is_cancelled_and_what_has_begun_is_not_and_why(jobs: Shell) -> None:
    done, queued = id_of(jobs, "docs/000.md"), id_of(jobs, "docs/002.md")
    result = jobs("jobs", "cancel", done, queued, code=1)
    assert "cancelled 1" in result.stdout
    assert f"{done}: only a job that is queued can be cancelled: this one is done" in result.stderr
    assert "cancelled 1" in jobs.said("jobs", "cancel", queued)


def test_all_jobs_are_exported_with_their_results_as_lines_of_json(shell: Shell) -> None:
    shell.write(130)
    ends = {"docs/004.md": "failed"}
    shell.api.steps = lambda doc: ("queued", ends.get(doc, "done"))
    shell("submit", "docs", "--wait", code=1)
    assert "130 jobs in all.jsonl" in shell.said("jobs", "export", "all.jsonl")
    rows = [json.loads(line) for line in (shell.folder / "all.jsonl").read_text().splitlines()]
    assert [row["doc_id"] for row in rows] == [
        kept.shown["doc_id"]
        for kept in sorted(shell.api.jobs.values(), key=lambda one: one.place, reverse=True)
    ]
    assert all(row["text"] == f"about {row['doc_id']}" for row in rows if row["status"] == "done")
    assert sum("result" in row for row in rows) == 129


def test_an_export_can_be_piped_and_narrowed(jobs: Shell) -> None:
    result = jobs("jobs", "export", "-", "--status", "done")
    (row,) = [json.loads(line) for line in result.stdout.splitlines()]
    assert row["text"] == "about docs/000.md"


def test_csv_has_a_line_a_job_and_why_it_failed(jobs: Shell) -> None:
    jobs("jobs", "export", "all.csv")
    rows = list(csv.DictReader(io.StringIO((jobs.folder / "all.csv").read_text())))
    costs = {row["doc_id"]: row["cost_usd"] for row in rows}
    assert float(costs["docs/000.md"]) * NANO == 2_000_000
    assert costs["docs/002.md"] == ""
    (failed,) = [row for row in rows if row["status"] == "failed"]
    assert failed["error"] == "Claude took longer than a job has"


def test_a_file_is_there_when_all_is_in_it_and_not_before(jobs: Shell) -> None:
    jobs.file("all.csv", "the last one")
    jobs("jobs", "export", "all.csv", "--key", "ck_" + "x" * 43, code=1)
    assert (jobs.folder / "all.csv").read_text() == "the last one"
    assert [path.name for path in jobs.folder.iterdir() if "part" in path.name] == []


@pytest.mark.parametrize(
    ("file", "says"),
    [("all.xlsx", "ends in .jsonl or .csv"), ("none/all.csv", "cannot be written")],
)
def test_a_file_that_cannot_be_is_said(jobs: Shell, file: str, says: str) -> None:
    assert says in jobs.said("jobs", "export", file, code=2)
