"""Documents become jobs, each once, whatever the API does; and each is said to have."""

import json
from collections import deque
from pathlib import Path

import pytest
from starlette.responses import Response

from kit import patience
from tests.kit.jobs_shell import Shell

LATER = {"retry-after": "0.01"}
OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "later"}}


def later(status: int, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(json.dumps(OVERLOADED), status, LATER | named)


def test_a_folder_is_a_job_for_each_document_of_a_known_type_with_the_options_given(
    shell: Shell,
) -> None:
    shell.file("docs/a.md", "one")
    shell.file("docs/deep/b.txt", "two")
    shell.file("docs/c.HTML", "<p>three")
    for other in ("docs/d.exe", "docs/.hidden.md", "docs/.git/e.md"):
        shell.file(other, "no")
    options = ("--instruction", "In a line", "--lane", "batch", "--model", "fast")
    said = shell.said("submit", "docs", *options, "--max-tokens", "90")
    assert "3 documents: 3 new" in said
    asked = shell.api.asked()
    assert sorted(asked) == ["docs/a.md", "docs/c.HTML", "docs/deep/b.txt"]
    doc = {"content": "one", "instruction": "In a line", "model": "fast", "max_tokens": 90}
    assert asked["docs/a.md"]["doc"] == doc
    assert {one["lane"] for one in asked.values()} == {"batch"}


def test_submitting_a_folder_twice_does_nothing_twice_and_hardly_asks(shell: Shell) -> None:
    shell.write(40)
    assert "40 documents: 40 new" in shell.said("submit", "docs")
    assert "40 documents: 40 were there already" in shell.said("submit", "./docs/")
    assert shell.submitted() == 40
    assert shell.api.calls["GET /v1/jobs"] == 2
    assert len(shell.api.jobs) == 40


def test_only_what_has_changed_is_new(shell: Shell) -> None:
    shell.write(14)
    shell("submit", "docs")
    shell.file("docs/003.md", "changed")
    shell.write(2, folder="docs/more")
    assert "16 documents: 3 new, 13 were there already" in shell.said("submit", "docs")
    assert "16 documents: 16 new" in shell.said("submit", "docs", "--instruction", "Translate")


def test_what_nobody_has_begun_is_submitted_again_for_it_may_never_have_reached_its_queue(
    shell: Shell,
) -> None:
    shell.write(12)
    shell.api.steps = lambda doc: ("queued",)
    shell("submit", "docs")
    assert "12 were there already" in shell.said("submit", "docs")
    assert shell.submitted() == 24
    assert len(shell.api.jobs) == 12


def test_a_file_named_twice_is_one_document(shell: Shell) -> None:
    shell.write(2)
    inside = str(shell.folder / "docs" / "000.md")
    assert "2 documents: 2 new" in shell.said("submit", "docs", "docs/000.md", inside)


def test_at_most_sixteen_requests_are_open_at_once(shell: Shell) -> None:
    shell.write(60)
    shell("submit", "docs")
    assert 2 <= shell.api.most_at_once <= 16


def test_a_full_minute_and_an_overload_are_waited_for_and_nothing_is_lost(shell: Shell) -> None:
    shell.write(9)
    shell.api.broken = deque([later(429), later(503), later(500), later(502), later(529)])
    assert "9 documents: 9 new" in shell.said("submit", "docs")


def test_the_minutes_limit_is_waited_for_by_all_together(shell: Shell) -> None:
    shell.write(30)
    shell.api.left, shell.api.retry_after = 8, "0.02"
    assert "30 new" in shell.said("submit", "docs")
    assert shell.api.refused <= 30


def test_a_wait_that_helps_nobody_ends_the_command_which_says_how_far_it_came(
    shell: Shell,
) -> None:
    shell.write(9)
    shell.api.broken = deque([later(429, x_should_retry="false")])
    said = shell.said("submit", "docs", code=1)
    assert "429 later" in said
    shell.write(40)
    shell.api.left, shell.api.retry_after = 20, "3600"
    said = shell.said("submit", "docs", code=1)
    assert "requests per minute" in said
    assert "of 40 are submitted; the same command submits the rest" in said
    shell.api.left = 1_000
    assert "40 documents" in shell.said("submit", "docs")
    assert len(shell.api.jobs) == 40


def test_patience_has_an_end_when_nobody_is_served(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "PATIENCE_S", 0.1)
    shell.write(1)
    shell.api.left, shell.api.grant, shell.api.retry_after = 0, 0, "0.03"
    assert "requests per minute" in shell.said("submit", "docs", code=1)


def test_an_api_that_is_broken_for_good_is_given_up_after_six_attempts(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "LONGEST_BACKOFF_S", 0.01)
    shell.write(1)
    shell.api.broken = deque([later(500)] * 20)
    assert "500 later" in shell.said("submit", "docs", code=1)
    assert shell.submitted() == 6


def test_an_api_that_cannot_be_reached_is_said_so(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "LONGEST_BACKOFF_S", 0.01)
    shell.write(1)
    said = shell.said("submit", "docs", "--url", "http://127.0.0.1:1", code=1)
    assert "http://127.0.0.1:1 cannot be reached" in said
    assert "cannot be reached" in shell.said("submit", "docs", "--url", "nonsense", code=1)


def test_a_key_that_nobody_has_stops_it_at_once(shell: Shell) -> None:
    shell.write(9)
    other = "ck_" + "x" * 43
    said = shell.said("submit", "docs/000.md", "--key", other, code=1)
    assert "401 x-api-key: no client has this key" in said
    assert shell.submitted() == 1


def test_what_every_document_would_hear_is_heard_by_a_few(shell: Shell) -> None:
    shell.write(100)
    said = shell.said("submit", "docs", "--result-bucket", "elsewhere", code=1)
    assert "result_bucket: elsewhere is not one of those allowed" in said
    assert shell.submitted() < 30


def test_documents_that_cannot_be_read_are_told_and_the_others_are_submitted(
    shell: Shell,
) -> None:
    shell.file("docs/good.md", "text")
    shell.file("docs/empty.md", " \n")
    shell.file("docs/latin.txt", b"caf\xe9")
    shell.file("docs/not.pdf", b"hello")
    shell.file("docs/huge.md", b"a" * 20_000_001)
    said = shell.said("submit", "docs", code=1)
    assert "5 documents: 1 new, 4 refused" in said
    for name, why in (
        ("empty.md", "is empty"),
        ("latin.txt", "is not UTF-8"),
        ("not.pdf", "is no PDF"),
        ("huge.md", "has more than 20,000,000 bytes"),
    ):
        (line,) = [line for line in said.splitlines() if line.startswith(f"docs/{name}")]
        assert why in line


def test_what_is_too_large_for_a_request_and_a_pdf_are_uploaded_once(shell: Shell) -> None:
    shell.file("docs/large.txt", "words " * 800_000)
    shell.file("docs/scan.pdf", b"%PDF-1.7 and so on")
    shell("submit", "docs")
    assert sorted(map(len, shell.api.uploads.values())) == [18, 4_800_000]
    assert len(shell.api.asked()["docs/large.txt"]["doc"]["content"]) == 4_800_000
    shell.api.steps = lambda doc: ()
    assert "2 were there already" in shell.said("submit", "docs")
    assert len(shell.api.uploads) == 2


def test_a_line_of_jsonl_is_a_job_that_keeps_what_it_says_itself(shell: Shell) -> None:
    lines = (
        {"doc_id": "one", "content": "a", "lane": "now"},
        {"content": "b", "instruction": "Translate"},
        {"request": {"model": "deep", "max_tokens": 5, "messages": [_user("hi")]}},
    )
    text = "\n".join(json.dumps(line) for line in lines)
    shell.file("jobs.jsonl", f"{text}\n\nno json\n[1]\n")
    options = ("--lane", "batch", "--instruction", "In a line")
    said = shell.said("submit", "jobs.jsonl", *options, code=1)
    assert "5 documents: 3 new, 2 refused" in said
    assert "jobs.jsonl:5" in said
    asked = shell.api.asked()
    assert (asked["one"]["lane"], asked["one"]["doc"]["instruction"]) == ("now", "In a line")
    second, third = asked["jobs.jsonl:2"], asked["jobs.jsonl:3"]
    assert (second["lane"], second["doc"]["instruction"]) == ("batch", "Translate")
    assert (third["lane"], third["request"]["model"]) == ("batch", "deep")


def test_standard_input_is_a_document(shell: Shell) -> None:
    result = shell("submit", "-", words="piped in")
    assert "1 document: 1 new" in result.stdout
    assert shell.api.asked()["stdin"]["doc"]["content"] == "piped in"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nothing.md"], "nothing.md: there is no such file or folder"),
        (["empty"], "nothing to submit there"),
        (["a.md", "--long", "--lane", "batch"], "do not go together"),
        (["a.md", "--model", "gpt"], "'gpt' is not one of fast"),
        (["a.md", "--max-tokens", "0"], "--max-tokens 0"),
        (["a.md", "--instruction", " "], "--instruction: must have text"),
        (["a.md", "--output", "out"], "give --wait, too"),
        (["a.md", "--key", "ck_short"], "that is no client key"),
    ],
)
def test_what_cannot_be_submitted_is_one_sentence_before_anything_is_sent(
    shell: Shell, arguments: list[str], says: str
) -> None:
    shell.file("a.md", "text")
    (shell.folder / "empty").mkdir()
    assert says in shell.said("submit", *arguments, code=2)
    assert not shell.api.calls


def test_without_a_key_and_without_a_deployment_it_says_what_to_do(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shell.file("a.md", "text")
    monkeypatch.delenv("KIT_CLIENT_KEY")
    assert "give --key or set KIT_CLIENT_KEY" in shell.said("submit", "a.md", code=2)


def test_the_local_cloud_brings_its_url_and_its_key(
    shell: Shell, outputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.write(1)
    for name in ("KIT_CLIENT_KEY", "KIT_JOBS_URL"):
        monkeypatch.delenv(name)
    local = {"QueueStack": {"ApiUrl": shell.api.url}, "Local": {"ClientKey": shell.api.key}}
    outputs.write_text(json.dumps(local))
    assert "1 new" in shell.said("submit", "docs", "--local")
    outputs.write_text(json.dumps(local | {"QueueStack": None}).replace("QueueStack", "Other"))
    assert "QueueStack is not part of" in shell.said("submit", "docs", "--local", code=1)
    assert "QueueStack is not part of" in shell.said("jobs", "redrive", "--local", code=1)


def test_programs_get_each_document_with_its_job(shell: Shell) -> None:
    shell.write(2)
    shell.file("docs/empty.md", "")
    told = shell.json("submit", "docs", code=1)
    assert (told["new"], told["before"], told["refused"]) == (2, 0, 1)
    jobs = {one["doc_id"]: one for one in told["jobs"]}
    assert jobs["docs/empty.md"]["error"] == "is empty"
    assert jobs["docs/000.md"]["job_id"] in shell.api.jobs


def test_what_has_failed_is_asked_once_more_with_retry_and_not_without(shell: Shell) -> None:
    shell.write(12)
    shell.api.steps = lambda doc: ("queued", "failed" if doc == "docs/004.md" else "done")
    shell("submit", "docs", "--wait", code=1)
    assert "docs/004.md" in shell.said("submit", "docs", code=1)
    shell.api.steps = lambda doc: ("queued", "done")
    said = shell.said("submit", "docs", "--wait", "--retry")
    assert "12 done (11 were there already)" in said
    assert len(shell.api.jobs) == 13
    assert "12 were there already" in shell.said("submit", "docs", "--retry")


def _user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}
