"""Jobs come in over HTTP: accepted when row and message are durable, and Claude is never asked."""

import base64
import json
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from claude_core.jobs.queue_message import Pointer
from claude_core.wire import MAX_BODY_BYTES
from tests.doubles import AwsDouble
from tests.events import BAD_BODIES, event, parsed
from tests.handlers.submitting import DOC, MESSAGE, Submitting

BODIES = [body for body in BAD_BODIES if body != '{"nothing": "known"}']
KEY = {"Idempotency_Key": "once"}


@pytest.fixture
def served(aws: AwsDouble) -> Iterator[Submitting]:
    with closing(Submitting(aws)) as one:
        yield one


def test_a_document_is_accepted_when_its_row_and_its_message_are_there(served: Submitting) -> None:
    status, answer = served("POST /v1/jobs", DOC | {"instruction": "Translate"})
    assert (status, answer["status"]) == (202, "queued")
    (job,) = served.cloud.jobs()
    assert (job.id, job.client) == (answer["job_id"], served.client.id)
    assert job.body_json == {"doc": {"content": "a text", "instruction": "Translate"}}
    (sent,) = served.cloud.sent("now")
    assert Pointer(**sent) == Pointer(job.id, job.client, "claude-sonnet-5-5", job.bytes)
    order = [f"{service}:{action}" for service, action, _ in served.aws.calls]
    assert order.index("dynamodb:PutItem") < order.index("amazonsqs:SendMessageBatch")


def test_a_request_of_the_messages_api_is_a_job_as_it_came(served: Submitting) -> None:
    id = served.submit({"request": MESSAGE}, anthropic_beta="interleaved-thinking-2025-05-14")
    headers = {"anthropic-beta": "interleaved-thinking-2025-05-14"}
    assert served.asked(id) == {"request": MESSAGE, "headers": headers}
    assert served.cloud.job(id).model == "claude-haiku-5-5"


def test_each_lane_has_its_queue_and_a_message_is_grouped_by_its_client(
    served: Submitting,
) -> None:
    now, long = served.submit(DOC), served.submit(DOC | {"long": True})
    served.submit(DOC | {"lane": "batch"})
    assert [one["job"] for one in served.cloud.sent("now")] == [now]
    assert [one["job"] for one in served.cloud.sent("long")] == [long]
    for queue in ("now", "long"):
        (entry,) = served.cloud.entries(queue)
        assert entry["MessageGroupId"] == served.client.id
    (wake,) = served.cloud.entries("batch")
    assert json.loads(wake["MessageBody"]) == {"wake": "claude-sonnet-5-5"}
    assert wake["DelaySeconds"] == 60


def test_the_same_idempotency_key_is_the_same_job_and_it_is_sent_again_until_it_is_begun(
    served: Submitting,
) -> None:
    id = served.submit(DOC, **KEY)
    assert served.submit(DOC, **KEY) == id
    assert len(served.cloud.jobs()) == 1
    assert len(served.cloud.sent("now")) == 2, "its message may have been lost"
    served.cloud.change(id, attempts={"N": "1"}, status={"S": "running"})
    assert served("POST /v1/jobs", DOC, **KEY) == (202, {"job_id": id, "status": "running"})
    assert len(served.cloud.sent("now")) == 2
    assert served.submit(DOC) != id


def test_an_answer_says_whether_its_job_was_there_before(served: Submitting) -> None:
    told = [served.raw(served.event("POST /v1/jobs", DOC, **KEY)) for _ in range(2)]
    assert [one["headers"].get("idempotent-replayed") for one in told] == [None, "true"]


def test_an_idempotency_key_belongs_to_its_client(served: Submitting) -> None:
    id = served.submit(DOC, **KEY)
    served.key, served.client = served.aws.add_client()
    assert served.submit(DOC, **KEY) != id


@pytest.mark.parametrize("size", [10, 300_000])
def test_another_job_under_the_same_key_is_a_409_and_the_first_one_stays_as_it_is(
    served: Submitting, size: int
) -> None:
    id = served.submit(DOC | {"content": "1" * size}, **KEY)
    before = served.asked(id)
    for other in ({"content": "2" * size}, {"content": "1" * size, "lane": "batch"}):
        status, answer = served("POST /v1/jobs", DOC | other, **KEY)
        assert (status, answer["error"]["type"]) == (409, "invalid_request_error")
        assert id in answer["error"]["message"]
    assert served.asked(id) == before


@pytest.mark.parametrize("key", ["", "two words", "x" * 256, "\u00fc"])
def test_an_idempotency_key_that_is_none_is_a_400(served: Submitting, key: str) -> None:
    status, answer = served("POST /v1/jobs", DOC, Idempotency_Key=key)
    assert (status, "Idempotency-Key" in answer["error"]["message"]) == (400, True)


def test_a_message_that_was_not_sent_is_a_503_and_the_same_key_sends_it_later(
    served: Submitting,
) -> None:
    served.aws.broken = lambda action: (500, {}) if action.startswith("amazonsqs") else None
    answer = served.raw(served.event("POST /v1/jobs", DOC, **KEY))
    assert answer["statusCode"] == 503
    assert answer["headers"]["x-should-retry"] == "true"
    assert json.loads(answer["body"])["error"]["type"] == "overloaded_error"
    (job,) = served.cloud.jobs()
    assert job.status == "queued"
    served.aws.broken = lambda action: None
    served.aws.calls.clear()
    assert served.submit(DOC, **KEY) == job.id
    assert [one["job"] for one in served.cloud.sent("now")] == [job.id]


def test_without_a_key_what_was_not_sent_is_taken_back_since_a_second_try_is_another_job(
    served: Submitting,
) -> None:
    served.aws.broken = lambda action: (500, {}) if action.startswith("amazonsqs") else None
    assert served("POST /v1/jobs", DOC)[0] == 503
    (job,) = served.cloud.jobs()
    assert job.status == "cancelled"


@pytest.mark.parametrize("action", ["dynamodb:UpdateItem", "dynamodb:PutItem", "s3:PUT"])
@pytest.mark.parametrize("broken", [(500, {}), (403, {"code": "AccessDenied"})])
def test_what_cannot_be_kept_is_not_sent_and_the_caller_may_try_again(
    served: Submitting, action: str, broken: tuple[int, dict[str, Any]]
) -> None:
    served.aws.broken = lambda asked: broken if asked == action else None
    status, answer = served("POST /v1/jobs", DOC | {"content": "x" * 300_000})
    assert (status, answer["error"]["type"]) == (503, "overloaded_error")
    assert served.cloud.sent("now") == []


@pytest.mark.parametrize("route", ["POST /v1/jobs", "POST /v1/uploads"])
@pytest.mark.parametrize("body", BODIES, ids=lambda body: repr(body)[:30])
def test_bad_input_is_a_400_that_asks_nobody(served: Submitting, route: str, body: Any) -> None:
    status, answer = served(route, body)
    assert (status, answer["error"]["type"]) == (400, "invalid_request_error")
    assert served.aws.calls == []


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"doc_id": "a"}, "content"),
        ({"content": "a"}, "doc_id"),
        (DOC | {"upload": "upload_" + "x" * 22}, "content"),
        (DOC | {"content": "  \n"}, "content"),
        (DOC | {"doc_id": "x" * 513}, "doc_id"),
        (DOC | {"lane": "slow"}, "lane"),
        (DOC | {"lane": "batch", "long": True}, "long"),
        (DOC | {"max_tokens": 30_000}, "max_tokens"),
        (DOC | {"result_bucket": "mine"}, "result_bucket"),
        (DOC | {"temperature": 1}, "temperature"),
        ({"request": MESSAGE | {"stream": True}}, "stream"),
        ({"request": MESSAGE | {"temperature": 1}}, "temperature"),
        ({"request": MESSAGE, "content": "a"}, "content"),
        ({"request": []}, "request"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_done_is_refused_by_its_name(
    served: Submitting, body: dict[str, Any], named: str
) -> None:
    status, answer = served("POST /v1/jobs", body)
    assert (status, named in answer["error"]["message"]) == (400, True), answer
    assert served.aws.calls == []


def test_a_long_job_may_write_as_much_as_its_model_can(served: Submitting) -> None:
    served.submit(DOC | {"max_tokens": 100_000, "long": True})
    served.submit(DOC | {"max_tokens": 100_000, "lane": "batch"})


def test_a_result_goes_to_a_bucket_that_the_deployment_names(aws: AwsDouble) -> None:
    with closing(Submitting(aws, result_buckets="ours,theirs")) as served:
        id = served.submit(DOC | {"result_bucket": "theirs"})
        assert served.cloud.job(id).result_bucket == "theirs"


@pytest.mark.parametrize("key", [None, "", "wrong", "ck_" + "x" * 43])
@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("POST /v1/jobs", DOC),
        ("GET /v1/jobs", None),
        ("GET /v1/jobs/job_12345678_1234567890123456789012", None),
        ("DELETE /v1/jobs/job_12345678_1234567890123456789012", None),
        ("POST /v1/uploads", {"bytes": 1, "content_type": "text/plain"}),
    ],
)
def test_without_a_good_key_it_is_a_401_and_nothing_is_kept(
    served: Submitting, route: str, body: Any, key: str | None
) -> None:
    status, answer = served(route, body, key=key)
    assert (status, answer["error"]["type"]) == (401, "authentication_error")
    assert served.cloud.jobs() == []


@pytest.mark.parametrize(
    ("row", "body", "status"),
    [
        ({"disabled": {"BOOL": True}}, DOC, 403),
        ({}, DOC | {"model": "deep"}, 403),
        ({}, DOC | {"model": "gpt"}, 404),
        ({}, {"request": MESSAGE | {"service_tier": "auto"}}, 400),
        ({"rpm": {"N": "0"}}, DOC, 429),
        ({"stopped": {"BOOL": True}}, DOC, 503),
    ],
)
def test_what_the_client_may_not_do_is_refused_before_anything_is_kept(
    served: Submitting, row: dict[str, Any], body: dict[str, Any], status: int
) -> None:
    served.key, served.client = served.aws.add_client(**row)
    assert served("POST /v1/jobs", body)[0] == status
    assert served.cloud.jobs() == []


def test_a_body_up_to_the_limit_is_kept_in_the_bucket_and_above_it_is_a_413(
    served: Submitting,
) -> None:
    body = json.dumps(DOC | {"content": "x"})
    most = json.dumps(DOC | {"content": "x" * (MAX_BODY_BYTES - len(body) + 1)})
    id = served.submit(most)
    assert len(served.asked(id)["doc"]["content"]) > 4_000_000
    status, answer = served("POST /v1/jobs", most + " ")
    assert (status, answer["error"]["type"]) == (413, "request_too_large")


def test_a_service_without_tasks_is_given_one_by_its_first_job(served: Submitting) -> None:
    served.submit(DOC | {"lane": "batch"})
    assert (served.cloud.tasks(), served.cloud.tasks("long-service")) == (0, 0)
    served.submit(DOC)
    assert (served.cloud.tasks(), served.cloud.tasks("long-service")) == (1, 0)
    served.submit(DOC | {"long": True})
    assert served.cloud.tasks("long-service") == 1


def test_a_service_that_cannot_be_started_is_no_error_of_the_request(served: Submitting) -> None:
    served.aws.broken = lambda action: (500, {}) if action.startswith("amazonec2") else None
    served.submit(DOC)
    served.aws.broken = lambda action: None
    assert served.cloud.tasks() == 0


def test_what_was_accepted_is_counted_once(
    served: Submitting, capfd: pytest.CaptureFixture[str]
) -> None:
    served.submit(DOC, **KEY)
    served.submit(DOC, **KEY)
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines() if "_aws" in line]
    assert [line["jobs_accepted"] for line in lines] == [[1]]


def test_a_request_that_came_in_too_late_is_a_503_while_the_api_still_listens(
    served: Submitting,
) -> None:
    sent = served.event("POST /v1/jobs", DOC)
    sent["requestContext"]["requestTimeEpoch"] -= 27_000
    status, answer = parsed(served.raw(sent))
    assert (status, answer["error"]["type"]) == (503, "overloaded_error")
    assert served.cloud.sent("now") == []


@pytest.mark.parametrize("route", ["GET /health", "GET /openapi.json"])
def test_open_routes_need_no_key_and_no_table(served: Submitting, route: str) -> None:
    served.aws.broken = lambda action: (500, {})
    assert served(route, key=None)[0] == 200
    assert served.aws.calls == []


def test_no_document_and_no_key_is_in_any_log(
    served: Submitting, capfd: pytest.CaptureFixture[str]
) -> None:
    canary = "canary-90bd"
    served.submit(DOC | {"content": canary, "instruction": canary})
    served("POST /v1/jobs", DOC | {"content": canary, "model": canary})
    served("POST /v1/jobs", DOC | {"content": canary, "model": "deep"})
    served.aws.broken = lambda action: (500, {}) if action.startswith("amazonsqs") else None
    served("POST /v1/jobs", DOC | {"content": canary})
    written = "".join(capfd.readouterr())
    assert '"service":"tests"' in written
    for secret in (canary, served.key):
        assert secret not in written


def test_an_event_in_base64_with_capital_headers_is_the_same_job(served: Submitting) -> None:
    sent = event("POST /v1/jobs", None, key=served.key)
    text = base64.b64encode(json.dumps(DOC).encode()).decode()
    sent |= {"body": text, "isBase64Encoded": True}
    sent["headers"]["IDEMPOTENCY-KEY"] = "once"
    status, answer = parsed(served.raw(sent))
    assert (status, answer["job_id"]) == (202, served.submit(DOC, **KEY))


def test_a_table_that_is_down_is_met_with_a_503_in_time(served: Submitting) -> None:
    served.aws.broken = lambda action: (500, {}) if action.startswith("dynamodb") else None
    began = time.monotonic()
    assert served("POST /v1/jobs", DOC)[0] == 503
    assert time.monotonic() - began < 3
