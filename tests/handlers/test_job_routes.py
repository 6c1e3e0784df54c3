"""A job is shown, listed and cancelled by its owner alone; the routes are those described."""

import json
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import quote

import pytest

from tests.doubles import AwsDouble
from tests.handlers.submitting import DOC, MESSAGE, Submitting

NOBODYS = "job_12345678_1234567890123456789012"
RESULT = {
    "type": "message",
    "id": "msg_1",
    "role": "assistant",
    "model": "claude-sonnet-5-5",
    "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "short"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 5, "output_tokens": 1},
}
DONE = {
    "status": {"S": "done"},
    "attempts": {"N": "1"},
    "usage": {"S": json.dumps(RESULT["usage"])},
    "cost": {"N": "20000"},
    "stop_reason": {"S": "end_turn"},
    "finished": {"S": "2026-11-24T12:00:00Z"},
}


@pytest.fixture
def served(aws: AwsDouble) -> Iterator[Submitting]:
    with closing(Submitting(aws)) as one:
        yield one


def test_a_job_that_waits_is_shown_without_a_result(served: Submitting) -> None:
    id = served.submit(DOC)
    status, job = served(f"GET /v1/jobs/{id}")
    created = job.pop("created_at")
    assert (status, created[10], created[-1]) == (200, "T", "Z")
    assert job == {
        "job_id": id,
        "status": "queued",
        "lane": "now",
        "model": "claude-sonnet-5-5",
        "doc_id": "a.txt",
        "attempts": 0,
    }


@pytest.mark.parametrize("where", ["row", "bucket"])
def test_a_job_that_is_done_is_shown_with_its_result_wherever_that_is(
    served: Submitting, where: str
) -> None:
    id = served.submit(DOC)
    key, text = f"results/{served.client.id}/{id}.json", json.dumps(RESULT)
    if where == "bucket":
        served.cloud.put(key, text)
    served.cloud.change(
        id, **DONE, **({"result": {"S": text}} if where == "row" else {"result_at": {"S": key}})
    )
    status, job = served(f"GET /v1/jobs/{id}")
    assert (status, job["status"], job["result"], job["text"]) == (200, "done", RESULT, "short")
    assert (job["usage"], job["cost_usd"]) == (RESULT["usage"], 0.00002)
    assert (job["stop_reason"], job["finished_at"]) == ("end_turn", "2026-11-24T12:00:00Z")


def test_a_job_that_failed_says_why(served: Submitting) -> None:
    id, error = served.submit(DOC), {"type": "rate_limit_error", "message": "over budget"}
    served.cloud.change(id, status={"S": "failed"}, error={"S": json.dumps(error)})
    assert served(f"GET /v1/jobs/{id}")[1]["error"] == error


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_job_of_another_client_is_a_404_like_one_that_is_not_there(
    served: Submitting, method: str
) -> None:
    id = served.submit(DOC)
    served.key, mine = served.aws.add_client()
    for asked in (id, NOBODYS, f"job_{mine.id}_{'x' * 22}", "start%23now-service", "x" * 3_000):
        status, answer = served(f"{method} /v1/jobs/{asked}")
        assert (status, answer["error"]["type"]) == (404, "not_found_error")
    assert served.cloud.job(id).status == "queued"


def test_a_queued_job_is_cancelled_and_twice_is_the_same_as_once(served: Submitting) -> None:
    id = served.submit(DOC | {"lane": "batch"})
    for _ in range(2):
        status, job = served(f"DELETE /v1/jobs/{id}")
        assert (status, job["status"], "finished_at" in job) == (200, "cancelled", True)
    row = served.cloud.job(id)
    assert row.waiting is None, "no batch may take it"
    assert served("GET /v1/jobs?status=cancelled")[1]["data"][0]["job_id"] == id


@pytest.mark.parametrize("status", ["running", "batched", "done", "failed", "dead"])
def test_a_job_that_has_begun_is_not_cancelled(served: Submitting, status: str) -> None:
    id = served.submit(DOC)
    served.cloud.change(id, status={"S": status})
    found, answer = served(f"DELETE /v1/jobs/{id}")
    assert (found, answer["error"]["type"]) == (409, "invalid_request_error")
    assert status in answer["error"]["message"]
    assert served.cloud.job(id).status == status


def test_a_list_has_the_newest_first_and_pages_lead_through_all(served: Submitting) -> None:
    ids = [served.submit(DOC) for _ in range(5)][::-1]
    found, query = [], "limit=2"
    for left in (True, True, False):
        status, page = served(f"GET /v1/jobs?{query}")
        assert (status, page["has_more"], page["next"] is not None) == (200, left, left)
        found += [job["job_id"] for job in page["data"]]
        query = f"limit=2&after={quote(page['next'] or '')}"
    assert found == ids


def test_a_list_shows_one_clients_jobs_of_one_status(served: Submitting) -> None:
    first, second = served.submit(DOC), served.submit({"request": MESSAGE})
    served.cloud.change(first, status={"S": "running"})
    for status, ids in (("running", [first]), ("queued", [second]), ("done", [])):
        _, page = served(f"GET /v1/jobs?status={status}")
        assert [job["job_id"] for job in page["data"]] == ids
    served.key, _ = served.aws.add_client()
    assert served("GET /v1/jobs")[1] == {"data": [], "has_more": False, "next": None}


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("status=waiting", "status"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=-1", "limit"),
        ("limit=ten", "limit"),
        (f"limit={'9' * 5_000}", "limit"),
        ("after=yesterday", "after"),
        ("after=", "after"),
        ("stauts=done", "stauts"),
    ],
)
def test_a_list_that_cannot_be_had_is_a_400_that_names_the_parameter(
    served: Submitting, query: str, named: str
) -> None:
    status, answer = served(f"GET /v1/jobs?{query}")
    assert (status, answer["error"]["type"]) == (400, "invalid_request_error")
    assert answer["error"]["message"].startswith(f"{named}:")


@pytest.mark.parametrize("route", ["GET /v1/jobs", f"GET /v1/jobs/{NOBODYS}"])
def test_looking_counts_as_a_request_of_the_minute(served: Submitting, route: str) -> None:
    served.key, served.client = served.aws.add_client(rpm={"N": "1"})
    assert served(route)[0] != 429
    answer = served.raw(served.event(route))
    assert (answer["statusCode"], "retry-after" in answer["headers"]) == (429, True)


def test_every_answer_tells_the_clients_limits(served: Submitting) -> None:
    id = served.submit(DOC)
    for route in ("GET /v1/jobs", f"GET /v1/jobs/{id}", f"DELETE /v1/jobs/{id}"):
        headers = served.raw(served.event(route))["headers"]
        assert headers["anthropic-ratelimit-requests-limit"] == "10000"
