"""The counts and records are what other tests assert on, so they are exact."""

import json

import anthropic
import httpx2
import pytest

from local.fake_claude import record, stats
from local.fake_claude.inprocess import Fake
from tests.fake_claude.conftest import KEY, MODEL, ask


def test_every_call_is_counted_by_route_and_status(fake: Fake, http: httpx2.Client) -> None:
    fake.plan(["overloaded"])
    http.post("/v1/messages", json=ask())
    http.post("/v1/messages", json=ask())
    http.post("/v1/messages", json=ask(max_tokens=-1))
    http.get(f"/v1/models/{MODEL}")
    http.get("/v1/models/nothing")
    http.get("/wp-login.php")
    assert fake.stats()["calls"] == {
        "POST /v1/messages": {"total": 3, "by_status": {"529": 1, "200": 1, "400": 1}},
        "GET /v1/models/{id}": {"total": 2, "by_status": {"200": 1, "404": 1}},
        "GET (unknown)": {"total": 1, "by_status": {"404": 1}},
    }


def test_what_is_billed_is_what_the_answers_reported(fake: Fake, http: httpx2.Client) -> None:
    usages = [
        http.post("/v1/messages", json=ask(model=model)).json()["usage"]
        for model in (MODEL, MODEL, "claude-opus-5-5")
    ]
    billed = fake.stats()["billed"]
    assert billed["completions"] == 3
    for kind in ("input_tokens", "output_tokens"):
        assert billed[kind] == sum(usage[kind] for usage in usages)
    assert billed["by_model"][MODEL]["completions"] == 2
    assert billed["by_model"]["claude-opus-5-5"]["output_tokens"] == usages[2]["output_tokens"]


def test_a_request_is_on_record_byte_for_byte(fake: Fake, http: httpx2.Client) -> None:
    sent = json.dumps(ask("ä \U0001f600"), indent=1).encode()
    answer = http.post("/v1/messages?beta=true", content=sent, headers={"anthropic-beta": "a,b"})
    (shown,) = fake.stats()["requests"]
    assert fake.body(shown["id"]) == sent
    assert shown["body"] == json.loads(sent)
    assert shown["id"] == answer.headers["request-id"]
    assert (shown["method"], shown["path"]) == ("POST", "/v1/messages")
    assert (shown["query"], shown["status"], shown["size"]) == ("beta=true", 200, len(sent))
    assert shown["headers"]["anthropic-version"] == "2023-06-01"
    assert shown["headers"]["anthropic-beta"] == "a,b"
    assert shown["output_tokens"] == answer.json()["usage"]["output_tokens"]
    assert shown["behaviour"] == "answer"


def test_no_key_stands_in_a_report_only_its_last_characters(
    fake: Fake, http: httpx2.Client, sdk: anthropic.Anthropic
) -> None:
    http.post("/v1/messages", json=ask())
    sdk.messages.create(**ask())
    stats = fake.stats()
    assert KEY not in json.dumps(stats)
    assert stats["requests"][0]["headers"]["x-api-key"] == f"…{KEY[-4:]}"
    assert stats["requests"][1]["headers"]["authorization"] == f"…{KEY[-4:]}"


def test_the_names_of_all_headers_are_there_so_that_a_leaked_one_is_found(
    fake: Fake, http: httpx2.Client
) -> None:
    http.post("/v1/messages", json=ask(), headers={"x-client-secret": "s3cret"})
    report = fake.stats()
    assert "x-client-secret" in report["requests"][0]["header_names"]
    assert "s3cret" not in json.dumps(report)


def test_only_the_last_thousand_requests_are_kept_and_all_are_counted(
    fake: Fake, http: httpx2.Client
) -> None:
    for _ in range(stats.KEPT_REQUESTS + 5):
        http.get("/v1/models")
    report = fake.stats()
    assert len(report["requests"]) == stats.KEPT_REQUESTS
    assert report["calls"]["GET /v1/models"]["total"] == stats.KEPT_REQUESTS + 5


def test_old_bodies_are_let_go_so_that_a_load_test_fits_into_memory(
    fake: Fake, http: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stats, "KEPT_BYTES", 2_500)
    for _ in range(4):
        http.post("/v1/messages", json=ask("x" * 1_000))
    kept = [each["body"] is not None for each in fake.stats()["requests"]]
    assert kept == [False, False, True, True]


def test_a_body_of_megabytes_is_no_part_of_a_report_but_can_be_had(
    fake: Fake, http: httpx2.Client
) -> None:
    sent = json.dumps(ask("x" * record.SHOWN_BYTES)).encode()
    answer = http.post("/v1/messages", content=sent)
    (shown,) = fake.stats()["requests"]
    assert (shown["body"], shown["size"]) == (None, len(sent))
    assert fake.body(answer.headers["request-id"]) == sent


def test_a_reset_forgets_everything(fake: Fake, http: httpx2.Client) -> None:
    fresh = fake.stats()
    fake.plan(["overloaded", "overloaded"])
    fake.keys([KEY])
    http.post("/v1/messages", json=ask())
    assert fake.stats() != fresh
    fake.reset()
    assert fake.stats() == fresh
    assert http.post("/v1/messages", json=ask()).status_code == 200
    assert http.post("/v1/messages", json=ask(), headers={"x-api-key": "sk-ant-other"}).is_success


def test_a_call_of_before_the_reset_is_not_counted_after_it(
    fake: Fake, http: httpx2.Client
) -> None:
    fake.plan(["hold after=1"])
    with http.stream("POST", "/v1/messages", json=ask(stream=True)) as answer:
        fake.wait(completions=1)
        fake.reset()  # lets go of it too
        answer.read()
    counts = fake.stats()
    assert counts["calls"] == {}
    assert counts["billed"]["completions"] == 0
    assert counts["in_flight"] == {"now": 0, "max": 0}


def test_waiting_for_what_does_not_come_fails_with_the_counts(fake: Fake) -> None:
    with pytest.raises(RuntimeError, match=r"408.*in_flight"):
        fake.wait(in_flight=1, timeout_s=0.05)
    with pytest.raises(RuntimeError, match="400"):
        fake.wait(mistakes=1)
    with pytest.raises(RuntimeError, match="400"):
        fake.wait()


def test_the_body_of_a_request_nobody_made_is_a_404(fake: Fake) -> None:
    with pytest.raises(RuntimeError, match="404"):
        fake.body("req_nobody")
