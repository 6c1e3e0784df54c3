"""What is too long for a request goes into the bucket by itself, and becomes a job by its name."""

import base64
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from claude_core.jobs.asking import MAX_TOKENS
from claude_core.jobs.documents import MOST_BYTES, TYPES
from tests.doubles import AwsDouble
from tests.handlers.submitting import DOC, Submitting

PDF = b"%PDF-1.7\n\x00\xff"
ASKED = {"bytes": 5, "content_type": "text/plain"}


@pytest.fixture
def served(aws: AwsDouble) -> Iterator[Submitting]:
    with closing(Submitting(aws)) as one:
        yield one


def of(upload: str, **more: Any) -> dict[str, Any]:
    return {"doc_id": "a", "upload": upload, **more}


def test_the_url_takes_one_put_of_just_this_size_and_type(served: Submitting) -> None:
    status, offered = served("POST /v1/uploads", ASKED)
    assert (status, offered["method"], offered["expires_in_s"]) == (201, "PUT", 900)
    assert offered["headers"] == {"content-type": "text/plain", "content-length": "5"}
    url = urlsplit(offered["url"])
    assert url.path == f"/files/uploads/{served.client.id}/{offered['upload']}"
    (signed,) = parse_qs(url.query)["X-Amz-SignedHeaders"]
    assert signed == "content-length;content-type;host"


@pytest.mark.parametrize(
    ("asked", "status", "named"),
    [
        ({"bytes": 5}, 400, "content_type"),
        ({"content_type": "text/plain"}, 400, "bytes"),
        (ASKED | {"content_type": "image/png"}, 400, ", ".join(TYPES)),
        (ASKED | {"bytes": 0}, 400, "bytes"),
        (ASKED | {"bytes": "5"}, 400, "bytes"),
        (ASKED | {"name": "a.txt"}, 400, "name"),
        (ASKED | {"bytes": MOST_BYTES + 1}, 413, "20000000"),
    ],
)
def test_an_upload_that_would_be_of_no_use_is_refused_by_its_field(
    served: Submitting, asked: dict[str, Any], status: int, named: str
) -> None:
    found, answer = served("POST /v1/uploads", asked)
    assert (found, named in answer["error"]["message"]) == (status, True), answer
    assert served.aws.calls == []


@pytest.mark.parametrize("content_type", ["text/plain", "text/markdown", "text/html"])
def test_text_is_asked_about_as_it_is(served: Submitting, content_type: str) -> None:
    text = "<h1>Grüße</h1>\r\n" * 1_000
    upload = served.upload(text.encode(), content_type)
    id = served.submit(of(upload, instruction="Translate"))
    assert served.asked(id) == {"doc": {"content": text, "instruction": "Translate"}}


def test_the_mark_that_windows_writes_before_utf_8_is_no_part_of_the_text(
    served: Submitting,
) -> None:
    upload = served.upload(b"\xef\xbb\xbfhello")
    assert served.asked(served.submit(of(upload)))["doc"]["content"] == "hello"


def test_a_pdf_is_a_request_with_a_document_that_claude_reads_itself(served: Submitting) -> None:
    upload = served.upload(PDF, "application/pdf")
    id = served.submit(of(upload, instruction="Translate", model="fast", lane="batch"))
    data = base64.b64encode(PDF).decode()
    source = {"type": "base64", "media_type": "application/pdf", "data": data}
    content = [{"type": "document", "source": source}, {"type": "text", "text": "Translate"}]
    assert served.asked(id) == {
        "request": {
            "model": "fast",
            "max_tokens": MAX_TOKENS,
            "messages": [{"role": "user", "content": content}],
        }
    }
    assert (served.cloud.job(id).doc_id, served.cloud.job(id).lane) == ("a", "batch")


def test_what_was_not_put_yet_is_a_404_and_no_job(served: Submitting) -> None:
    _, offered = served("POST /v1/uploads", ASKED)
    for upload in (offered["upload"], "upload_" + "x" * 22, "../secret", "nothing"):
        status, answer = served("POST /v1/jobs", of(upload))
        assert (status, answer["error"]["type"]) == (404, "not_found_error")
    assert served.cloud.jobs() == []


def test_without_the_right_to_list_s3_says_denied_of_what_is_not_there(served: Submitting) -> None:
    upload = served.upload(b"hello")
    served.aws.broken = lambda action: (
        (403, {"code": "AccessDenied"}) if action == "s3:GET" else None
    )
    assert served("POST /v1/jobs", of(upload))[0] == 404


def test_another_clients_upload_is_a_404_whatever_is_asked_for(served: Submitting) -> None:
    upload, owner = served.upload(b"hello"), served.client.id
    served.key, served.client = served.aws.add_client()
    for name in (upload, f"../{owner}/{upload}", f"{owner}/{upload}", f"%2e%2e/{owner}/{upload}"):
        assert served("POST /v1/jobs", of(name))[0] == 404
    assert not any(
        owner in asked.get("path", "")
        for service, action, asked in served.aws.calls
        if (service, action) == ("s3", "GET")
    )


@pytest.mark.parametrize(
    ("body", "content_type", "said"),
    [
        (b"caf\xe9", "text/plain", "UTF-8 (byte 3)"),
        (b" \n", "text/markdown", "no text"),
        (b"hello", "application/pdf", "no PDF"),
    ],
)
def test_a_document_that_cannot_be_read_is_a_400_that_says_why(
    served: Submitting, body: bytes, content_type: str, said: str
) -> None:
    status, answer = served("POST /v1/jobs", of(served.upload(body, content_type)))
    assert (status, said in answer["error"]["message"]) == (400, True), answer


@pytest.mark.parametrize(
    ("body", "said"),
    [(b"x" * (MOST_BYTES + 1), "20000001 bytes"), (b"\x01" * 6_000_000, "32000000")],
    ids=["the document", "the request that it makes"],
)
def test_a_document_that_claude_would_not_take_is_a_413(
    served: Submitting, body: bytes, said: str
) -> None:
    upload = "upload_" + "x" * 22
    served.cloud.put(f"uploads/{served.client.id}/{upload}", body, ContentType="text/plain")
    status, answer = served("POST /v1/jobs", of(upload))
    assert (status, answer["error"]["type"]) == (413, "request_too_large")
    assert said in answer["error"]["message"]


def test_the_largest_document_becomes_a_job(served: Submitting) -> None:
    body = PDF + b"x" * (MOST_BYTES - len(PDF))
    id = served.submit(of(served.upload(body, "application/pdf")))
    assert served.cloud.job(id).bytes > 26_000_000


def test_whoever_may_not_use_the_model_has_nothing_read(served: Submitting) -> None:
    upload = served.upload(b"hello")
    served.aws.calls.clear()
    assert served("POST /v1/jobs", of(upload, model="deep"))[0] == 403
    assert ("s3", "GET") not in [(service, action) for service, action, _ in served.aws.calls]


def test_an_upload_may_be_asked_about_twice(served: Submitting) -> None:
    upload = served.upload(b"hello")
    assert served.submit(of(upload)) != served.submit(of(upload, instruction="Translate"))
    first = served.submit(of(upload), Idempotency_Key="once")
    assert served.submit(of(upload), Idempotency_Key="once") == first
    assert served.submit(DOC) != first
