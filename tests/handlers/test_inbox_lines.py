"""A file of jobs, one a line: each line is one job, whatever breaks, and bad ones are told of."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from typing import Any

import pytest

from claude_core.jobs import notes
from claude_core.wire import MAX_BODY_BYTES
from lambda_src import line_jobs
from lambda_src.inbox import RESERVE_S
from tests.doubles import AwsDouble
from tests.handlers.dropping import Dropping
from tests.handlers.submitting import MESSAGE


@pytest.fixture
def inbox(aws: AwsDouble, monkeypatch: pytest.MonkeyPatch) -> Iterator[Dropping]:
    monkeypatch.setattr("claude_core.jobs.accepting.WAITS_S", ())
    with closing(Dropping(aws)) as one:
        yield one


def doc(name: object, **more: Any) -> str:
    return json.dumps({"doc_id": str(name), "content": f"text {name}", **more})


def many(count: int) -> str:
    return "\n".join(doc(at) for at in range(count))


def names(inbox: Dropping) -> list[str]:
    return [job.doc_id for job in inbox.cloud.jobs()]


def test_each_line_is_a_job_in_its_lane(inbox: Dropping) -> None:
    lines = [
        doc("a"),
        "",
        doc("b", lane="batch"),
        json.dumps({"request": MESSAGE, "long": True}) + "\r",
        doc("c", instruction="Translate", model="fast"),
    ]
    inbox.drop("jobs.jsonl", "\ufeff" + "\n".join(lines))
    assert Counter(names(inbox)) == Counter(["a", "b", None, "c"])
    found = {job.doc_id: job for job in inbox.cloud.jobs()}
    doc_c = {"content": "text c", "instruction": "Translate", "model": "fast"}
    assert found["c"].body_json == {"doc": doc_c}
    assert found[None].body_json == {"request": MESSAGE}
    assert [len(inbox.cloud.sent(queue)) for queue in ("now", "long", "batch")] == [2, 1, 1]
    assert inbox.note("jobs.jsonl") == ""


def test_metadata_stands_for_what_a_line_does_not_say_itself(inbox: Dropping) -> None:
    lines = [
        doc("a"),
        doc("b", lane="now", instruction="Translate"),
        f'{{"request": {json.dumps(MESSAGE)}}}',
    ]
    inbox.drop("jobs.jsonl", "\n".join(lines), lane="batch", instruction="Shorten")
    found = {job.doc_id: job for job in inbox.cloud.jobs()}
    asked = {name: (job.body_json or {}).get("doc", {}) for name, job in found.items()}
    assert [found[name].lane for name in ("a", "b", None)] == ["batch", "now", "batch"]
    assert [asked[name].get("instruction") for name in ("a", "b")] == ["Shorten", "Translate"]


def test_bad_lines_are_told_of_together_and_the_good_ones_go_on(inbox: Dropping) -> None:
    lines = [
        doc("a"),
        "{",
        "[]",
        doc("b", lane="slow"),
        doc("c", model="deep"),
        '{"doc_id": "\\ud800", "content": "x"}',
        '{"doc_id": "d", "upload": "upload_' + "x" * 22 + '"}',
        "x" * (MAX_BODY_BYTES + 1),
        doc("e"),
    ]
    inbox.drop("jobs.jsonl", "\n".join(lines))
    assert sorted(names(inbox)) == ["a", "e"]
    first, advice, _, *told = inbox.note("jobs.jsonl").splitlines()
    assert first.endswith(": 2 lines became jobs, 7 did not.")
    assert "a file of their own" in advice
    assert [line.partition(":")[0] for line in told] == [f"line {at}" for at in range(2, 9)]
    said = ("not valid JSON", "JSON object", "lane", "may not use", "surrogate", "PUT", "longer")
    assert all(why in line for why, line in zip(said, told, strict=True)), told


def test_a_note_names_the_first_of_very_many(
    inbox: Dropping, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notes, "MOST_SAID", 3)
    inbox.drop("jobs.jsonl", "{\n" * 250)
    told = inbox.note("jobs.jsonl").splitlines()
    assert told[0].endswith("0 lines became jobs, 250 did not.")
    assert told[-2].startswith("line 3:")
    assert told[-1] == "and 247 more"


def test_a_line_may_name_an_upload_of_its_client(inbox: Dropping) -> None:
    upload = "upload_" + "u" * 22
    key = f"uploads/{inbox.client.id}/{upload}"
    inbox.cloud.put(key, "uploaded", ContentType="text/plain")
    inbox.drop("jobs.jsonl", json.dumps({"doc_id": "a", "upload": upload}))
    (job,) = inbox.cloud.jobs()
    assert job.body_json == {"doc": {"content": "uploaded"}}


def test_the_same_file_told_again_makes_no_second_job_and_reads_nothing(inbox: Dropping) -> None:
    message = inbox.drop("jobs.jsonl", many(5))
    inbox.crash()
    before = len(inbox.aws.calls)
    assert inbox.tell(message) == []
    again = [f"{service}:{action}" for service, action, _ in inbox.aws.calls[before:]]
    assert sorted(again) == ["dynamodb:GetItem", "dynamodb:GetItem", "s3:GET"]
    assert len(inbox.cloud.jobs()) == 5


def test_lines_that_say_the_same_are_jobs_of_their_own(inbox: Dropping) -> None:
    inbox.drop("jobs.jsonl", f"{doc('a')}\n{doc('a')}\n")
    assert names(inbox) == ["a", "a"]


def test_when_time_runs_out_the_file_goes_on_from_where_it_was_by_a_message_of_its_own(
    inbox: Dropping, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_jobs, "WINDOW", 4)
    message = inbox.put("jobs.jsonl", many(10) + "\n{")
    calls = 0
    while True:
        inbox.crash()
        inbox.aws.calls.clear()
        assert inbox.tell(message, left_s=lambda: RESERVE_S - 1) == []
        calls += 1
        puts = inbox.aws.count("dynamodb:PutItem")
        if not inbox.cloud.entries("inbox"):
            break
        assert [one["MessageBody"] for one in inbox.cloud.entries("inbox")] == [message]
        assert puts == 5, "four jobs, and the checkpoint"
    assert calls == 3
    assert sorted(names(inbox), key=int) == [str(at) for at in range(10)]
    assert "10 lines became jobs, 1 did not." in inbox.note("jobs.jsonl")


def test_empty_lines_do_not_hide_that_time_runs_out(
    inbox: Dropping, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_jobs, "WINDOW_LINES", 50)
    message = inbox.put("jobs.jsonl", "\n" * 60 + doc("a"))
    inbox.tell(message, left_s=lambda: RESERVE_S - 1)
    assert len(inbox.cloud.entries("inbox")) == 1
    assert inbox.tell(message) == []
    assert names(inbox) == ["a"]


def broken_from(number: int) -> Callable[[str], tuple[int, dict[str, Any]] | None]:
    """AWS as it fails from one of its calls on."""
    made = count(1)
    return lambda action: (500, {}) if next(made) >= number else None


def test_whatever_call_breaks_or_kills_it_each_line_is_one_job_that_was_sent(
    inbox: Dropping, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each call in turn fails from then on; then another process is told again."""
    monkeypatch.setattr(line_jobs, "WINDOW", 3)
    for breaks in range(1, 100):
        inbox.aws.calls.clear()
        message = inbox.put(f"{breaks}.jsonl", f"{many(5)}\n{{\n")
        inbox.aws.broken = broken_from(breaks)
        failed = inbox.tell(message)
        inbox.aws.broken = lambda action: None
        if not failed:
            break
        inbox.crash()
        assert inbox.tell(message) == []
        sent = {one["job"] for one in inbox.cloud.sent("now")}
        assert len(sent) == 5
        assert "5 lines became jobs, 1 did not." in inbox.note(f"{breaks}.jsonl")
    assert breaks > 15, "the calls of one file"
    assert Counter(names(inbox)) == {str(at): breaks for at in range(5)}


def test_processes_that_read_the_same_file_at_once_make_each_job_once(
    inbox: Dropping, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_jobs, "WINDOW", 2)
    message = inbox.put("jobs.jsonl", many(9) + "\n{")
    inbox.race(message, processes=3)
    assert sorted(names(inbox)) == [str(at) for at in range(9)]
    assert "9 lines became jobs, 1 did not." in inbox.note("jobs.jsonl")


def test_what_a_file_came_to_is_counted(inbox: Dropping, capfd: pytest.CaptureFixture[str]) -> None:
    inbox.drop("jobs.jsonl", many(3) + "\n{\n{")
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines() if "_aws" in line]
    assert [line.get("jobs_accepted", line.get("inbox_refused")) for line in lines] == [[3], [2]]
