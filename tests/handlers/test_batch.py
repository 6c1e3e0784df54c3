"""The batch lane's function, message to result, against moto and the fake Claude."""

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from claude_core.jobs.job import ROW_BYTES, Status
from lambda_src.batch_polling import LATEST_S
from local.fake_claude.inprocess import Fake
from tests.doubles import AwsDouble
from tests.handlers.batching import BALANCED, BUCKET, COPIES, FAST, Batching

PATH = "/v1/messages/batches"
INVALID, BUSY, SLOW = (f"[[fake: {name}]]" for name in ("bad_request", "overloaded", "hang"))
"""Documents, by what they come to in a batch: errored, errored and not by their fault, expired."""


@pytest.fixture
def lane(aws: AwsDouble, claude: Fake) -> Iterator[Batching]:
    with closing(Batching(aws, claude)) as one:
        claude.batching(after_s=None)
        yield one


def ended(lane: Batching, **asked: Any) -> str:
    """A job whose batch has ended, and was looked at."""
    id = lane.submit(**asked)
    lane.wake(lane.job(id).model)
    lane.claude.end_batches()
    lane.poll()
    return id


def test_a_job_is_asked_in_a_batch_and_has_its_result_at_half_the_price(lane: Batching) -> None:
    id = lane.submit()
    lane.wake()
    assert lane.job(id).status is Status.BATCHED
    lane.poll()
    assert lane.job(id).status is Status.BATCHED
    lane.claude.end_batches()
    lane.poll()
    job = lane.job(id)
    assert (job.status, job.attempts, job.waiting) == (Status.DONE, 1, None)
    message, usage = json.loads(job.result), json.loads(job.usage)
    assert message["stop_reason"] == "end_turn"
    assert job.cost == usage["input_tokens"] * 1_000 + usage["output_tokens"] * 5_000
    assert lane.money() == (job.cost, {})
    assert lane.told() == {id: "done"}
    assert lane.stages() == ["ended"]


def test_a_large_result_is_a_file_and_a_copy_goes_to_the_bucket_that_was_asked_for(
    lane: Batching,
) -> None:
    large = ended(lane, content="[[fake: tokens=60000]]", max_tokens=100_000)
    job = lane.job(large)
    assert (job.status, job.result) == (Status.DONE, None)
    body = lane.item(BUCKET, job.result_at)
    assert len(body) > ROW_BYTES
    copied = ended(lane, result_bucket=COPIES)
    copy = lane.item(COPIES, f"results/{lane.client.id}/{copied}.json")
    assert json.loads(copy) == json.loads(lane.job(copied).result)


def test_a_bucket_that_takes_no_copy_loses_no_answer_and_holds_up_nobody(lane: Batching) -> None:
    lane.aws.boto("s3").delete_bucket(Bucket=COPIES)
    refused, other = lane.submit(result_bucket=COPIES), lane.submit()
    lane.wake()
    lane.claude.end_batches()
    lane.poll()
    assert {lane.job(id).status for id in (refused, other)} == {Status.DONE}
    assert lane.job(refused).result


def test_what_claude_finds_invalid_fails_with_its_words_and_costs_nothing(lane: Batching) -> None:
    id = ended(lane, content=INVALID)
    job = lane.job(id)
    assert job.status is Status.FAILED
    assert lane.error(id)["type"] == "invalid_request_error"
    assert "told to refuse" in lane.error(id)["message"]
    assert lane.money() == (0, {})
    assert lane.told() == {id: "failed"}


def test_what_claude_failed_goes_to_the_workers_once_more(lane: Batching) -> None:
    id = ended(lane, content=BUSY)
    job = lane.job(id)
    assert (job.status, job.lane, job.batch, job.waiting) == (Status.QUEUED, "now", None, None)
    (pointer,) = lane.sent("now")
    assert (pointer["job"], pointer["client"], pointer["model"]) == (id, lane.client.id, BALANCED)
    assert lane.told() == {}
    assert lane.money() == (0, {})


def test_what_only_a_stream_can_answer_goes_to_the_long_lane(lane: Batching) -> None:
    id = ended(lane, content=BUSY, max_tokens=50_000)
    assert (lane.job(id).long, lane.sent("now"), len(lane.sent("long"))) == (True, [], 1)


def test_a_batch_that_was_cancelled_at_claude_cancels_its_jobs(lane: Batching) -> None:
    lane.claude.batching(after_s=None, shares={"canceled": 1.0})
    id = ended(lane)
    assert lane.job(id).status is Status.CANCELLED
    assert "cancelled at Claude" in lane.error(id)["message"]
    assert lane.told() == {id: "cancelled"}


def test_what_expired_waits_once_more_and_then_fails_and_names_the_other_lane(
    lane: Batching,
) -> None:
    id = ended(lane, content=SLOW)
    job = lane.job(id)
    assert (job.status, job.waiting, job.attempts) == (Status.QUEUED, BALANCED, 1)
    assert {"wake": BALANCED, "again": True} in lane.sent("batch")
    lane.wake()
    lane.claude.end_batches()
    lane.poll()
    job = lane.job(id)
    assert (job.status, job.attempts) == (Status.FAILED, 2)
    assert "lane now" in lane.error(id)["message"]
    assert lane.money() == (0, {})


def test_each_model_has_batches_of_its_own(lane: Batching) -> None:
    ids = {model: lane.submit(model=model) for model in (BALANCED, FAST)}
    lane.reopen()
    assert lane.call({"wake": BALANCED}, {"wake": FAST}, {"wake": BALANCED}) == []
    assert [batch["request_counts"]["processing"] for batch in lane.made()] == [1, 1]
    lane.claude.end_batches()
    lane.poll()
    assert {lane.job(id).status for id in ids.values()} == {Status.DONE}


def test_jobs_that_share_an_instruction_share_the_cache_for_an_hour(lane: Batching) -> None:
    shared = [lane.submit(instruction="x" * 5_000, content=f"document {at}") for at in (1, 2)]
    alone = lane.submit(instruction="y" * 5_000)
    lane.wake()
    (record,) = [one for one in lane.claude.stats()["requests"] if one["path"] == PATH]
    sent = {one["custom_id"][17:]: one for one in lane.body(record["id"])["requests"]}
    mark = {"type": "ephemeral", "ttl": "1h"}
    for id in shared:
        first, *_ = sent[id]["params"]["messages"][0]["content"]
        assert first["cache_control"] == mark
    assert "cache_control" not in json.dumps(sent[alone])
    assert not any("stream" in one["params"] for one in sent.values())


def test_a_batch_that_is_not_found_yet_is_looked_for_again_and_never_made_again(
    lane: Batching,
) -> None:
    lane.claude.batching(after_s=None, retrieve_404s=2, results_404s=1)
    id = lane.submit()
    lane.wake()
    lane.claude.end_batches()
    for _ in range(3):
        lane.poll()
        assert lane.job(id).status is Status.BATCHED
    lane.poll()
    assert lane.job(id).status is Status.DONE
    assert lane.billed() == {id: 1}
    assert len(lane.made()) == 1


@pytest.mark.parametrize("how", ["reset billed=true", "truncated billed=true"])
def test_a_batch_whose_making_nobody_heard_of_is_adopted_when_it_has_ended(
    lane: Batching, how: str
) -> None:
    lane.claude.plan([how], route=f"POST {PATH}")
    id = lane.submit()
    lane.wake()
    assert (lane.stages(), len(lane.made())) == (["sending"], 1)
    lane.poll()
    assert lane.stages() == ["sending"]  # there is one that may be ours
    lane.claude.end_batches()
    lane.poll()
    lane.poll()
    assert lane.job(id).status is Status.DONE
    assert (lane.billed(), len(lane.made())) == ({id: 1}, 1)


def test_an_error_of_claude_that_leaves_it_open_puts_nothing_back(lane: Batching) -> None:
    lane.claude.plan(["server_error"], route=f"POST {PATH}")
    id = lane.submit()
    lane.wake()
    lane.poll()
    assert (lane.job(id).status, lane.stages()) == (Status.BATCHED, ["sending"])


@pytest.mark.parametrize("refusal", ["rate_limited", "overloaded", "spend_cap", "forbidden"])
def test_a_batch_that_claude_refuses_puts_its_jobs_back_with_their_money(
    lane: Batching, refusal: str
) -> None:
    lane.claude.plan([refusal], route=f"POST {PATH}")
    id = lane.submit()
    lane.wake()
    job = lane.job(id)
    assert (job.status, job.waiting, job.attempts) == (Status.QUEUED, BALANCED, 0)
    assert lane.money() == (0, {})
    assert lane.stages() == ["releasing"]
    lane.poll()
    assert lane.stages() == ["void"]
    lane.wake()
    assert lane.job(id).status is Status.BATCHED


def test_a_batch_that_is_too_large_is_halved_until_it_is_taken(lane: Batching) -> None:
    ids = [lane.submit() for _ in range(5)]
    lane.claude.plan(["too_large", "too_large"], route=f"POST {PATH}")
    for _ in range(5):
        lane.wake()
    sizes = [batch["request_counts"]["processing"] for batch in lane.made()]
    assert sum(sizes) == 5
    assert min(sizes) == 1
    assert {lane.job(id).status for id in ids} == {Status.BATCHED}


def test_one_job_that_claude_takes_in_no_batch_fails_with_its_words(lane: Batching) -> None:
    id = lane.submit()
    lane.claude.plan(["too_large"], route=f"POST {PATH}")
    lane.wake()
    job = lane.job(id)
    assert (job.status, lane.error(id)["type"]) == (Status.FAILED, "request_too_large")
    assert lane.told() == {id: "failed"}
    assert lane.money() == (0, {})


def test_over_budget_as_many_jobs_are_asked_as_there_is_money_for(lane: Batching) -> None:
    _, client = lane.aws.add_client(budget=35_000_000)  # each may take 15.9 million
    ids = [lane.submit(client) for _ in range(3)]
    lane.wake()
    states = [(lane.job(id).status, lane.job(id).waiting) for id in ids]
    assert [status for status, _ in states] == [Status.BATCHED] * 2 + [Status.QUEUED]
    assert (states[2][1], lane.job(ids[2]).attempts) == (BALANCED, 0)
    lane.claude.end_batches()
    lane.poll()
    spent, held = lane.money(client)
    assert (spent, held) == (sum(lane.job(id).cost for id in ids[:2]), {})


def test_a_client_without_money_rests_and_holds_up_nobody(lane: Batching) -> None:
    _, poor = lane.aws.add_client(budget=20_000_000)
    first, second = lane.submit(poor), lane.submit(poor)
    lane.wake()
    assert (lane.job(first).status, lane.job(second).status) == (Status.BATCHED, Status.QUEUED)
    fence = lane.job(second).fence
    other = lane.submit()
    lane.wake()
    assert lane.job(other).status is Status.BATCHED
    assert lane.job(second).fence == fence  # it was passed over, not claimed and put back


def test_a_job_that_no_budget_of_its_client_covers_fails_and_says_so(lane: Batching) -> None:
    _, poor = lane.aws.add_client(budget=1_000)
    id = lane.submit(poor)
    lane.wake()
    job = lane.job(id)
    assert (job.status, lane.error(id)["type"]) == (Status.FAILED, "rate_limit_error")
    assert "monthly budget of tests" in lane.error(id)["message"]
    assert lane.made() == []
    assert lane.told() == {id: "failed"}


def test_a_disabled_clients_jobs_fail_and_the_others_are_asked(lane: Batching) -> None:
    _, disabled = lane.aws.add_client(disabled={"BOOL": True})
    closed, open_ = lane.submit(disabled), lane.submit()
    lane.wake()
    assert (lane.job(closed).status, lane.job(open_).status) == (Status.FAILED, Status.BATCHED)
    assert "disabled" in lane.error(closed)["message"]


def test_jobs_wait_while_all_calls_are_stopped(lane: Batching) -> None:
    _, stopped = lane.aws.add_client(stopped={"BOOL": True})
    id = lane.submit(stopped)
    lane.wake()
    assert (lane.job(id).status, lane.job(id).waiting) == (Status.QUEUED, BALANCED)
    assert (lane.made(), lane.money(stopped)) == ([], (0, {}))


def test_only_those_jobs_fail_that_need_what_their_client_is_not_allowed(lane: Batching) -> None:
    request = {
        "model": "balanced",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "hi"}],
        "service_tier": "auto",
    }
    extra, plain = lane.submit(request=request), lane.submit()
    lane.wake()
    assert (lane.job(extra).status, lane.job(plain).status) == (Status.FAILED, Status.BATCHED)
    assert "kit clients allow" in lane.error(extra)["message"]


def test_a_job_that_was_cancelled_before_is_not_asked(lane: Batching) -> None:
    cancelled, other = lane.submit(), lane.submit()
    lane.cancel(cancelled)
    lane.wake()
    lane.claude.end_batches()
    lane.poll()
    assert lane.billed() == {other: 1}
    assert lane.job(cancelled).status is Status.CANCELLED


def test_a_job_whose_body_is_gone_fails_and_holds_up_nobody(lane: Batching) -> None:
    gone, other = lane.submit(content="long " * 50_000), lane.submit()
    lane.aws.boto("s3").delete_object(Bucket=BUCKET, Key=lane.job(gone).body_at)
    lane.wake()
    assert (lane.job(gone).status, lane.job(other).status) == (Status.FAILED, Status.BATCHED)


def test_duplicate_messages_change_nothing_and_cost_nothing(lane: Batching) -> None:
    id = lane.submit()
    lane.wake()
    assert lane.call({"wake": BALANCED}, {"wake": BALANCED}) == []
    lane.reopen()
    assert lane.call({"wake": BALANCED}, {"wake": BALANCED}) == []
    assert len(lane.made()) == 1
    (first, *_) = [one for one in lane.sent("batch") if "poll" in one]
    lane.claude.end_batches()
    lane.poll()
    calls = lane.claude.stats()["calls"]
    assert lane.call(first, *[one for one in lane.sent("batch") if "poll" in one]) == []
    assert lane.claude.stats()["calls"] == calls
    assert (lane.billed(), lane.money()[1]) == ({id: 1}, {})


def test_a_wake_up_that_finds_nothing_asks_nobody_and_is_followed_by_one_look(
    lane: Batching,
) -> None:
    assert lane.call({"wake": BALANCED}) == []
    assert lane.sent("batch") == [{"wake": BALANCED, "again": True}]
    assert lane.call({"wake": BALANCED, "again": True}) == []
    assert len(lane.sent("batch")) == 1
    assert lane.intents() == []


def test_a_message_of_another_kind_fails_alone(lane: Batching) -> None:
    id = lane.submit()
    assert lane.call({"other": 1}, {"wake": BALANCED}, {"poll": 3}) == [0, 2]
    assert lane.job(id).status is Status.BATCHED


def test_with_no_time_left_nothing_is_begun_and_the_message_is_sent_again(lane: Batching) -> None:
    id = lane.submit()
    assert lane.call({"wake": BALANCED}, left_s=10.0) == []
    assert lane.sent("batch") == [{"wake": BALANCED}]
    assert lane.job(id).status is Status.QUEUED


def test_a_table_that_is_down_fails_the_messages_and_they_come_again(
    lane: Batching, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("claude_core.patient.PATIENCE_S", 0.1)
    id = lane.submit()
    lane.aws.broken = lambda action: (500, {}) if action.startswith("dynamodb") else None
    assert lane.call({"wake": BALANCED}, {"poll": "x" * 16}) == [0, 1]
    lane.aws.broken = lambda action: None
    assert lane.call({"wake": BALANCED}) == []
    assert lane.job(id).status is Status.BATCHED


def test_polls_are_never_further_apart_than_a_message_can_be_delayed() -> None:
    assert LATEST_S <= 900


def test_no_prompt_no_answer_and_no_key_is_in_any_log(
    lane: Batching, capfd: pytest.CaptureFixture[str]
) -> None:
    canary = "canary-5e1c"
    ended(lane, content=canary)
    ended(lane, content=f"{canary} {INVALID}")
    lane.claude.plan(["bad_request"], route=f"POST {PATH}")
    lane.submit(content=canary)
    lane.wake()
    written = "".join(capfd.readouterr())
    assert "batches_created" in written
    assert canary not in written
