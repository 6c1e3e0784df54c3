"""Files become jobs of the client in whose folder they are, once, or are refused with a reason."""

import base64
import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from claude_core.jobs.documents import MOST_BYTES
from lambda_src.inbox import RESERVE_S
from tests.doubles import AwsDouble
from tests.handlers.dropping import Dropping, bridged, notified

PDF = b"%PDF-1.7\n\x00\xff"


@pytest.fixture
def inbox(aws: AwsDouble, monkeypatch: pytest.MonkeyPatch) -> Iterator[Dropping]:
    monkeypatch.setattr("claude_core.jobs.accepting.WAITS_S", (0.0, 0.0))
    with closing(Dropping(aws)) as one:
        yield one


@pytest.mark.parametrize("name", ["a.txt", "2026/Q3 über+alles/b.MD", "c.html", "d.htm"])
def test_a_text_is_one_job_named_by_its_place_in_the_clients_folder(
    inbox: Dropping, name: str
) -> None:
    inbox.drop(name, "<p>Grüße</p>")
    (job,) = inbox.cloud.jobs()
    assert (job.client, job.doc_id, job.lane) == (inbox.client.id, name, "now")
    assert job.body_json == {"doc": {"content": "<p>Grüße</p>"}}
    assert [one["job"] for one in inbox.cloud.sent("now")] == [job.id]
    assert inbox.cloud.tasks() == 1


def test_a_pdf_is_one_job_that_claude_reads_itself(inbox: Dropping) -> None:
    inbox.drop("a.pdf", PDF, instruction="Translate")
    (job,) = inbox.cloud.jobs()
    asked = job.body_json
    assert asked is not None
    document, text = asked["request"]["messages"][0]["content"]
    assert document["source"]["data"] == base64.b64encode(PDF).decode()
    assert (text["text"], job.doc_id) == ("Translate", "a.pdf")


def test_metadata_says_how_a_file_is_to_be_done(aws: AwsDouble) -> None:
    with closing(Dropping(aws, result_buckets="ours")) as inbox:
        options = {"model": "fast", "max_tokens": "50", "result_bucket": "ours"}
        inbox.drop("a.txt", "hello", instruction="=?UTF-8?Q?=C3=9Cbersetze?=", **options)
        inbox.drop("b.txt", "hello", lane="batch", mtime="1795000000")
        inbox.drop("c.txt", "hello", long="true", max_tokens="100000")
        first, second, third = inbox.cloud.jobs()
    doc = {"content": "hello", "instruction": "Übersetze", "model": "fast", "max_tokens": 50}
    assert (first.body_json, first.result_bucket) == ({"doc": doc}, "ours")
    assert (second.lane, second.waiting) == ("batch", "claude-sonnet-5-5")
    assert third.long is True
    assert [len(inbox.cloud.sent(queue)) for queue in ("now", "long", "batch")] == [1, 1, 1]


def test_the_same_version_told_again_is_the_same_job_and_a_new_one_is_another(
    inbox: Dropping,
) -> None:
    message = inbox.drop("a.txt", "hello")
    for _ in range(3):
        inbox.crash()
        assert inbox.tell(message) == []
    assert len(inbox.cloud.jobs()) == 1
    inbox.drop("a.txt", "hello")
    assert len(inbox.cloud.jobs()) == 2


def test_each_version_is_read_as_it_was_when_it_was_dropped(inbox: Dropping) -> None:
    first, second = inbox.put("a.txt", "first"), inbox.put("a.txt", "second")
    assert inbox.tell(second, first) == []
    asked = [job.body_json for job in inbox.cloud.jobs()]
    assert [one["doc"]["content"] for one in asked if one] == ["second", "first"]


def test_an_event_of_eventbridge_is_the_same_job_as_s3s_own_notice(inbox: Dropping) -> None:
    message = json.loads(inbox.drop("a b+c.txt", "hello"))
    version = message["Records"][0]["s3"]["object"]["versionId"]
    assert inbox.tell(bridged(f"inbox/{inbox.client.id}/a b+c.txt", version)) == []
    assert len(inbox.cloud.jobs()) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "files"},
        {"Records": [{"eventName": "ObjectRemoved:Delete"}]},
        json.loads(notified("inbox/x/a.txt", "v", bucket="somebody-elses")),
    ],
)
def test_what_tells_of_no_new_file_of_ours_is_over(inbox: Dropping, body: dict[str, Any]) -> None:
    assert inbox.tell(json.dumps(body)) == []
    assert inbox.cloud.keys() == []


@pytest.mark.parametrize("body", ["", "{", "[]", "null", "{}", '{"Records": 1}', '"text"'])
def test_a_message_that_is_none_of_s3s_goes_to_the_dead_letters(inbox: Dropping, body: str) -> None:
    good = inbox.put("a.txt", "hello")
    assert inbox.tell(body, good) == [body]
    assert len(inbox.cloud.jobs()) == 1


def test_a_folder_that_the_console_made_is_no_file(inbox: Dropping) -> None:
    inbox.drop("reports/", b"")
    assert (inbox.cloud.jobs(), inbox.cloud.keys("refused/")) == ([], [])


def test_a_file_that_was_deleted_for_good_is_over(inbox: Dropping) -> None:
    assert inbox.tell(notified(f"inbox/{inbox.client.id}/gone.txt", "no-version")) == []
    assert inbox.tell(notified(f"inbox/{inbox.client.id}/gone.jsonl", "no-version")) == []
    assert inbox.cloud.jobs() == []


@pytest.mark.parametrize(
    ("name", "body", "metadata", "said"),
    [
        ("a.docx", b"PK", {}, ".txt, .md, .markdown, .html, .htm, .pdf, .jsonl"),
        ("README", "hello", {}, "none of the endings"),
        (".txt", "hello", {}, "none of the endings"),
        ("a.txt", b"", {}, "nothing in it"),
        ("a.jsonl", b"", {}, "nothing in it"),
        ("a.jsonl", b"\n \r\n\n", {}, "no line of it has anything"),
        ("a.txt", b"caf\xe9", {}, "UTF-8 (byte 3)"),
        ("a.pdf", b"hello", {}, "%PDF-"),
        ("a.txt", b"x" * (MOST_BYTES + 1), {}, f"{MOST_BYTES + 1} bytes"),
        ("x" * 600 + ".txt", "hello", {}, "doc_id"),
        ("a.txt", "hello", {"max_tokens": "many"}, "max-tokens"),
        ("a.txt", "hello", {"long": "yes"}, "long"),
        ("a.txt", "hello", {"lane": "slow"}, "lane"),
        ("a.txt", "hello", {"model": "gpt"}, "is not one of"),
        ("a.txt", "hello", {"model": "deep"}, "may not use"),
        ("a.txt", "hello", {"result_bucket": "mine"}, "result_bucket"),
        ("a.jsonl", "{}\n", {"long": "yes"}, "long"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_what_cannot_become_a_job_is_refused_with_a_reason(
    inbox: Dropping, name: str, body: bytes | str, metadata: dict[str, str], said: str
) -> None:
    message = inbox.drop(name, body, **metadata)
    version = json.loads(message)["Records"][0]["s3"]["object"]["versionId"]
    note = inbox.note(name)
    assert note.startswith(f"inbox/{inbox.client.id}/{name} (version {version}) became no job: ")
    assert said in note
    assert inbox.cloud.jobs() == []


def test_a_refusal_is_counted(inbox: Dropping, capfd: pytest.CaptureFixture[str]) -> None:
    inbox.drop("a.docx", b"PK")
    inbox.drop("a.txt", "hello")
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines() if "_aws" in line]
    assert [line.get("inbox_refused") for line in lines] == [[1], None]
    assert [line.get("jobs_accepted") for line in lines] == [None, [1]]


@pytest.mark.parametrize(
    ("key", "note"),
    [
        ("inbox/a.txt", "refused/a.txt.txt"),
        ("inbox/nobodyxx/a.txt", "refused/nobodyxx/a.txt.txt"),
        ("inbox/reports/a.txt", "refused/reports/a.txt.txt"),
        ("inbox//a.txt", "refused//a.txt.txt"),
        ("inbox/../a.txt", "refused/_/a.txt.txt"),
    ],
)
def test_a_file_in_nobodys_folder_is_refused(inbox: Dropping, key: str, note: str) -> None:
    assert inbox.tell(notified(key, "v")) == []
    assert inbox.cloud.keys() == [note]
    assert "client" in inbox.cloud.text(note)
    assert inbox.cloud.jobs() == []


def test_a_way_out_of_the_folder_is_refused_before_anything_is_read(inbox: Dropping) -> None:
    key = f"inbox/{inbox.client.id}/../other/a.txt"
    assert inbox.tell(notified(key, "v")) == []
    assert "give it another name" in inbox.cloud.text(
        f"refused/{inbox.client.id}/_/other/a.txt.txt"
    )


def test_the_note_on_the_longest_of_names_is_kept_too(inbox: Dropping) -> None:
    for end in ("1", "2"):
        name = "ü" * 490 + end + ".docx"
        inbox.drop(name, b"PK")
    notes = inbox.cloud.keys("refused/")
    assert (len(notes), max(len(key.encode()) for key in notes) <= 1_024) == (2, True)


@pytest.mark.parametrize("row", [{"disabled": {"BOOL": True}}])
def test_a_disabled_clients_file_is_refused(inbox: Dropping, row: dict[str, Any]) -> None:
    _, inbox.client = inbox.aws.add_client(**row)
    inbox.drop("a.txt", "hello")
    assert "this client is disabled" in inbox.note("a.txt")
    assert inbox.cloud.jobs() == []


def test_while_all_calls_are_stopped_files_are_taken_in_and_wait(inbox: Dropping) -> None:
    _, inbox.client = inbox.aws.add_client(stopped={"BOOL": True})
    inbox.drop("a.txt", "hello")
    assert len(inbox.cloud.jobs()) == 1


def test_the_clients_row_is_read_and_not_written(inbox: Dropping) -> None:
    before = inbox.aws.row(inbox.client)
    inbox.drop("a.txt", "hello")
    assert inbox.aws.row(inbox.client) == before


@pytest.mark.parametrize(
    "action",
    ["dynamodb:GetItem", "s3:GET", "dynamodb:PutItem", "amazonsqs:SendMessageBatch", "s3:PUT"],
)
@pytest.mark.parametrize("answer", [(500, {}), (403, {"code": "AccessDenied", "__type": "Denied"})])
def test_what_aws_does_not_do_now_is_done_when_the_message_comes_again_and_once(
    inbox: Dropping, action: str, answer: tuple[int, dict[str, Any]]
) -> None:
    text, refused = inbox.put("a.txt", "x" * 300_000), inbox.put("a.docx", b"PK")
    inbox.aws.broken = lambda asked: answer if asked == action else None
    failed = inbox.tell(text, refused)
    assert failed, "nothing is lost"
    inbox.aws.broken = lambda asked: None
    inbox.aws.calls.clear()
    inbox.crash()
    assert inbox.tell(*failed) == []
    (job,) = inbox.cloud.jobs()
    assert [one["job"] for one in inbox.cloud.sent("now")] == ([job.id] if text in failed else [])
    assert "endings" in inbox.note("a.docx")


def test_when_time_runs_out_the_rest_is_told_again_at_once(inbox: Dropping) -> None:
    messages = [inbox.put(f"{at}.txt", "hello") for at in range(3)]
    assert inbox.tell(*messages, left_s=lambda: RESERVE_S - 1) == []
    assert [job.doc_id for job in inbox.cloud.jobs()] == ["0.txt"]
    assert [entry["MessageBody"] for entry in inbox.cloud.entries("inbox")] == messages[1:]


def test_no_document_is_in_any_log(inbox: Dropping, capfd: pytest.CaptureFixture[str]) -> None:
    canary = "canary-37ce"
    inbox.drop("a.txt", canary, instruction=canary)
    inbox.drop("b.pdf", canary)
    inbox.drop("c.jsonl", json.dumps({"doc_id": "c", "content": canary, "no": canary}))
    inbox.tell(canary)
    written = "".join(capfd.readouterr())
    assert '"service":"tests"' in written
    assert canary not in written
    assert all(canary not in inbox.note(name) for name in ("b.pdf", "c.jsonl"))
