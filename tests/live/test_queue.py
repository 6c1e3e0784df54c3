"""Jobs through the deployed API, the inbox and the batch lane, done by deployed workers."""

import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from local import cloud
from local.fake_claude.remote import Fake
from tests.live.conftest import Deployment

pytestmark = pytest.mark.live
PATIENCE_S = 120.0
BATCH_PATIENCE_S = 240.0
"""A job waits a minute for company, and its batch is looked at now and then."""


@pytest.fixture(scope="session")
def url(deployment: Deployment) -> str:
    return deployment.outputs["QueueStack"]["ApiUrl"].rstrip("/")


@pytest.fixture(scope="session")
def http(deployment: Deployment, url: str) -> Any:
    with httpx2.Client(base_url=url, headers={"x-api-key": deployment.key}, timeout=40) as client:
        yield client


@pytest.fixture(scope="session")
def batch(http: httpx2.Client) -> list[str]:
    """Jobs of the batch lane, sent before all else: they take longest (see conftest.py)."""
    name = uuid.uuid4().hex[:8]
    bodies = [
        {"doc_id": f"{name}-{at}", "content": f"harbour {at}", "lane": "batch"} for at in range(12)
    ]
    return [submitted(http, body)["job_id"] for body in bodies]


def submitted(http: httpx2.Client, body: dict[str, Any], **headers: str) -> dict[str, Any]:
    answer = http.post("/v1/jobs", json=body, headers=headers)
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


def until(found: Callable[[], Any], *, within_s: float = PATIENCE_S) -> Any:
    """The first of what `found` gives that is something."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if one := found():
            return one
        time.sleep(0.5)
    raise AssertionError(f"nothing in {within_s:g} s")


def over(http: httpx2.Client, id: str, *, within_s: float = PATIENCE_S) -> dict[str, Any]:
    """A job when it is over."""

    def look() -> dict[str, Any] | None:
        job = http.get(f"/v1/jobs/{id}").json()
        return job if job["status"] not in ("queued", "running", "batched") else None

    return dict(until(look, within_s=within_s))


def test_the_batch_lane_is_asked_first(batch: list[str]) -> None:
    assert len({*batch}) == 12


def test_a_document_is_answered_and_priced(http: httpx2.Client) -> None:
    id = submitted(http, {"doc_id": "report", "content": "The harbour was quiet."})["job_id"]
    job = over(http, id)
    assert job["status"] == "done"
    assert job["text"]
    assert job["result"]["stop_reason"] == "end_turn"
    assert job["usage"]["output_tokens"] > 0
    assert job["cost_usd"] > 0


def test_a_messages_request_is_a_job_too(http: httpx2.Client) -> None:
    request = {
        "model": "fast",
        "max_tokens": 100,
        "messages": [{"role": "user", "content": "Hello"}],
    }
    job = over(http, submitted(http, {"request": request})["job_id"])
    assert job["status"] == "done"
    assert job["model"].startswith("claude-haiku")


def test_the_same_key_is_the_same_job_and_another_body_is_refused(http: httpx2.Client) -> None:
    key, body = uuid.uuid4().hex, {"doc_id": "a", "content": "one"}
    first = submitted(http, body, **{"idempotency-key": key})
    assert submitted(http, body, **{"idempotency-key": key})["job_id"] == first["job_id"]
    other = http.post("/v1/jobs", json=body | {"content": "two"}, headers={"idempotency-key": key})
    assert other.status_code == 409
    assert other.json()["error"]["type"] == "invalid_request_error"


def test_a_job_that_cannot_succeed_tells_its_owner_why(http: httpx2.Client) -> None:
    body = {"doc_id": "a", "content": "[[fake: bad_request]]"}
    job = over(http, submitted(http, body)["job_id"])
    assert job["status"] == "failed"
    assert job["error"]["type"] == "invalid_request_error"


def test_an_upload_is_asked_about(http: httpx2.Client) -> None:
    text = ("The harbour was quiet. " * 20_000).encode()
    made = http.post("/v1/uploads", json={"bytes": len(text), "content_type": "text/plain"})
    assert made.status_code == 201, made.text
    upload = made.json()
    put = httpx2.request(
        upload["method"], upload["url"], content=text, headers=upload["headers"], timeout=40
    )
    assert put.status_code == 200, put.text
    job = over(http, submitted(http, {"doc_id": "b", "upload": upload["upload"]})["job_id"])
    assert job["status"] == "done"
    assert job["usage"]["input_tokens"] > 50_000


def test_a_long_job_is_done_by_the_workers_of_its_own(http: httpx2.Client) -> None:
    request = {
        "model": "balanced",
        "max_tokens": 40_000,
        "messages": [{"role": "user", "content": "Write at length."}],
    }
    job = over(http, submitted(http, {"request": request, "long": True})["job_id"])
    assert job["status"] == "done"
    assert job["result"]["content"][-1]["text"]


def test_files_in_the_inbox_become_jobs_of_their_client_and_others_are_refused(
    only_local: Deployment, http: httpx2.Client
) -> None:
    s3 = cloud.client("s3", only_local.outputs["Local"]["AwsEndpoint"])
    bucket, client = only_local.outputs["QueueStack"]["FilesBucketName"], only_local.key[3:11]
    name = uuid.uuid4().hex[:8]
    lines = [{"doc_id": f"{name}-{at}", "content": f"line {at}"} for at in range(5)]
    files = {
        f"inbox/{client}/{name}.md": "# Harbour\nIt was quiet.",
        f"inbox/{client}/{name}.jsonl": "\n".join(json.dumps(line) for line in lines),
        f"inbox/nobody00/{name}.md": "# Whose?",
    }
    for key, text in files.items():
        s3.put_object(Bucket=bucket, Key=key, Body=text.encode())

    def done() -> bool:
        jobs = http.get("/v1/jobs?status=done&limit=100").json()["data"]
        return len([job for job in jobs if job.get("doc_id", "").startswith(name)]) == 6

    def refused() -> Any:
        found = s3.list_objects_v2(Bucket=bucket, Prefix="refused/").get("Contents", [])
        return [one["Key"] for one in found if name in one["Key"]]

    until(done)
    (note,) = until(refused)
    assert "nobody00" in s3.get_object(Bucket=bucket, Key=note)["Body"].read().decode()


def test_others_see_nothing_of_a_job_and_no_key_is_refused(
    deployment: Deployment, http: httpx2.Client, url: str
) -> None:
    id = submitted(http, {"doc_id": "mine", "content": "x"})["job_id"]
    other = id.replace(deployment.key[3:11], "AAAAAAAA")
    assert http.get(f"/v1/jobs/{other}").status_code == 404
    assert httpx2.get(f"{url}/v1/jobs/{id}", timeout=40).status_code == 401


def test_a_waiting_job_can_be_cancelled_and_is_never_asked(http: httpx2.Client) -> None:
    body = {"doc_id": "c", "content": "never", "lane": "batch"}
    id = submitted(http, body)["job_id"]
    assert http.delete(f"/v1/jobs/{id}").json()["status"] == "cancelled"
    assert http.get(f"/v1/jobs/{id}").json()["status"] == "cancelled"


def test_a_batch_is_answered_at_half_the_price(
    only_local: Deployment, http: httpx2.Client, batch: list[str]
) -> None:
    jobs = [over(http, id, within_s=BATCH_PATIENCE_S) for id in batch]
    assert {job["status"] for job in jobs} == {"done"}
    assert {job["usage"]["service_tier"] for job in jobs} == {"batch"}
    stats = Fake(only_local.outputs["Local"]["ClaudeUrl"]).stats()
    assert stats["batches"]["submitted_again"] == 0
    assert stats["billed"]["half_price"]["completions"] >= 12
