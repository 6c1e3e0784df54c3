"""Message batches as the unmodified official client sees them."""

import asyncio
import datetime as dt
from typing import Any

import anthropic
import httpx2
import pytest

from local.fake_claude.inprocess import Fake
from tests.fake_claude.batching import PATH, ended, many, requests, results
from tests.fake_claude.conftest import KEY, ask


def test_a_batch_is_in_progress_at_first_and_says_nothing_of_its_results(
    fake: Fake, sdk: anthropic.Anthropic
) -> None:
    fake.batching(after_s=None)
    batch = sdk.messages.batches.create(requests=many(3))
    assert (batch.type, batch.processing_status) == ("message_batch", "in_progress")
    assert batch.id.startswith("msgbatch_")
    assert batch.request_counts.to_dict() == {
        "processing": 3,
        "succeeded": 0,
        "errored": 0,
        "canceled": 0,
        "expired": 0,
    }
    assert batch.expires_at - batch.created_at == dt.timedelta(hours=24)
    assert (batch.ended_at, batch.results_url, batch.cancel_initiated_at) == (None, None, None)
    assert sdk.messages.batches.retrieve(batch.id) == batch
    with pytest.raises(anthropic.AnthropicError, match="in_progress"):
        sdk.messages.batches.results(batch.id)


def test_it_ends_by_itself_and_every_request_has_a_result(
    fake: Fake, sdk: anthropic.Anthropic
) -> None:
    fake.batching(after_s=0.01)
    created = sdk.messages.batches.create(requests=many(20))
    fake.wait(batches_ended=1)
    batch = sdk.messages.batches.retrieve(created.id)
    assert batch.processing_status == "ended"
    assert (batch.request_counts.processing, batch.request_counts.succeeded) == (0, 20)
    assert batch.ended_at is not None
    assert batch.ended_at >= batch.created_at
    assert batch.results_url == f"{fake.url}{PATH}/{batch.id}/results"
    assert results(sdk, batch).keys() == {f"r{number}" for number in range(20)}


@pytest.mark.parametrize("count", [2, 3, 100])
def test_results_come_in_an_order_of_their_own(
    fake: Fake, sdk: anthropic.Anthropic, count: int
) -> None:
    batch = ended(fake, sdk, many(count))
    order = [line.custom_id for line in sdk.messages.batches.results(batch.id)]
    assert order != [f"r{number}" for number in range(count)]


def test_an_answer_in_a_batch_is_the_one_that_is_given_alone_but_for_its_tier(
    fake: Fake, sdk: anthropic.Anthropic
) -> None:
    texts = {"plain": "Why?", "long": "[[fake: tokens=50]]", "no": "[[fake: refusal]]"}
    found = results(sdk, ended(fake, sdk, requests(texts)))
    for name, text in texts.items():
        alone = sdk.messages.create(**ask(text))
        message = found[name].message
        assert (message.content, message.stop_reason) == (alone.content, alone.stop_reason)
        assert message.usage == alone.usage.model_copy(update={"service_tier": "batch"})
        assert alone.usage.service_tier == "standard"


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"messages": ...}, "invalid_request_error", "messages: Field required"),
    ({"model": "claude-9"}, "not_found_error", "model: claude-9"),
    ({"max_tokens": 0}, "invalid_request_error", "max_tokens: must be greater than or equal to 1"),
    ({"stream": True}, "invalid_request_error", '"stream=True" is not supported'),
    ({"temperature": 1}, "invalid_request_error", "`temperature` is deprecated"),
]


def test_a_request_that_is_wrong_is_errored_and_the_batch_is_taken_nevertheless(
    fake: Fake, sdk: anthropic.Anthropic
) -> None:
    params = [{**ask(), **changes} for changes, _, _ in WRONG]
    params = [{key: value for key, value in each.items() if value is not ...} for each in params]
    wanted: list[Any] = [{"custom_id": f"w{n}", "params": each} for n, each in enumerate(params)]
    batch = ended(fake, sdk, [*wanted, *requests({"right": "Why?"})])
    assert (batch.request_counts.errored, batch.request_counts.succeeded) == (len(WRONG), 1)
    found = results(sdk, batch)
    for number, (_, kind, words) in enumerate(WRONG):
        result = found[f"w{number}"]
        assert (result.type, result.error.type, result.error.error.type) == (
            "errored",
            "error",
            kind,
        )
        assert words in result.error.error.message


SCRIPTED = {
    "overloaded": ("errored", "overloaded_error"),
    "server_error": ("errored", "api_error"),
    "bad_request": ("errored", "invalid_request_error"),
    "stream_error": ("errored", "overloaded_error"),
    "no_such_thing": ("errored", "invalid_request_error"),
    "hang": ("expired", None),
    "reset": ("succeeded", None),
}


def test_a_script_in_a_prompt_is_followed_as_far_as_there_is_no_connection_to_break(
    fake: Fake, sdk: anthropic.Anthropic
) -> None:
    found = results(sdk, ended(fake, sdk, requests({n: f"[[fake: {n}]]" for n in SCRIPTED})))
    seen = {name: (result.type, _error(result)) for name, result in found.items()}
    assert seen == SCRIPTED


def _error(result: Any) -> str | None:
    return result.error.error.type if result.type == "errored" else None


def test_what_fails_once_in_a_batch_succeeds_when_it_is_asked_again(
    fake: Fake, sdk: anthropic.Anthropic
) -> None:
    text = "[[fake: overloaded times=1]] Why?"
    found = results(sdk, ended(fake, sdk, requests({"once": text})))
    assert found["once"].type == "errored"
    assert sdk.messages.create(**ask(text)).stop_reason == "end_turn"


def test_lists_have_the_newest_first_and_pages_join_to_all_of_it(
    fake: Fake, sdk: anthropic.Anthropic
) -> None:
    ids = [sdk.messages.batches.create(requests=many(1)).id for _ in range(5)]
    assert [batch.id for batch in sdk.messages.batches.list(limit=2)] == ids[::-1]
    page = sdk.messages.batches.list(limit=2, after_id=ids[3])
    assert ([batch.id for batch in page.data], page.has_more) == ([ids[2], ids[1]], True)
    page = sdk.messages.batches.list(limit=2, before_id=ids[0])
    assert ([batch.id for batch in page.data], page.has_more) == ([ids[2], ids[1]], True)
    page = sdk.messages.batches.list(limit=5, before_id=ids[3])
    assert ([batch.id for batch in page.data], page.has_more) == ([ids[4]], False)


def test_an_ended_batch_can_be_deleted_and_one_in_progress_cannot(
    fake: Fake, sdk: anthropic.Anthropic
) -> None:
    batch = ended(fake, sdk, many(1))
    deleted = sdk.messages.batches.delete(batch.id)
    assert (deleted.id, deleted.type) == (batch.id, "message_batch_deleted")
    with pytest.raises(anthropic.NotFoundError, match="not found"):
        sdk.messages.batches.retrieve(batch.id)
    fake.batching(after_s=None)
    held = sdk.messages.batches.create(requests=many(1))
    with pytest.raises(anthropic.BadRequestError, match="cannot be deleted"):
        sdk.messages.batches.delete(held.id)


def test_a_batch_is_canceling_before_it_ends_and_what_was_not_processed_is_canceled(
    fake: Fake, sdk: anthropic.Anthropic
) -> None:
    fake.batching(after_s=None, done_at_cancel=0.25)
    created = sdk.messages.batches.create(requests=many(8))
    batch = sdk.messages.batches.cancel(created.id)
    assert (batch.processing_status, batch.request_counts.processing) == ("canceling", 8)
    assert sdk.messages.batches.cancel(created.id) == batch
    fake.end_batches()
    batch = sdk.messages.batches.retrieve(created.id)
    assert (batch.request_counts.succeeded, batch.request_counts.canceled) == (2, 6)
    assert {result.type for result in results(sdk, batch).values()} == {"succeeded", "canceled"}
    with pytest.raises(anthropic.BadRequestError, match="already ended"):
        sdk.messages.batches.cancel(created.id)


def test_a_cancellation_does_not_wait_for_the_time_that_the_batch_would_take(
    fake: Fake, sdk: anthropic.Anthropic
) -> None:
    fake.batching(after_s=600)
    batch = sdk.messages.batches.create(requests=many(3))
    sdk.messages.batches.cancel(batch.id)
    fake.wait(batches_ended=1)
    assert fake.stats()["batches"]["canceled"] == 3


def test_the_async_and_the_beta_client_work_in_the_same_ways(fake: Fake) -> None:
    async def use() -> None:
        async with anthropic.AsyncAnthropic(base_url=fake.url, api_key=KEY) as client:
            batch = await client.messages.batches.create(requests=many(3))
            beta = await client.beta.messages.batches.create(
                requests=[{"custom_id": "b", "params": {**ask(), "mcp_servers": []}}],  # type: ignore[typeddict-item]
                betas=["mcp-client-2025-11-20"],
            )
            await asyncio.to_thread(fake.end_batches)
            plain = [line async for line in await client.messages.batches.results(batch.id)]
            assert len(plain) == 3
            (line,) = [each async for each in await client.beta.messages.batches.results(beta.id)]
            assert line.result.type == "succeeded"
            assert len([each async for each in client.messages.batches.list()]) == 2

    asyncio.run(use())


def test_results_are_json_lines_and_a_poll_before_the_end_advises_when_to_come_back(
    fake: Fake, http: httpx2.Client
) -> None:
    fake.batching(after_s=None)
    created = http.post(PATH, json={"requests": many(2)}).json()
    poll = http.get(f"{PATH}/{created['id']}")
    assert poll.headers["retry-after"] == "10"
    assert poll.headers["request-id"].startswith("req_")
    fake.end_batches()
    assert "retry-after" not in http.get(f"{PATH}/{created['id']}").headers
    answer = http.get(f"{PATH}/{created['id']}/results")
    assert answer.headers["content-type"] == "application/x-jsonl"
    assert answer.text.count("\n") == 2
    assert answer.text.endswith("}\n")
