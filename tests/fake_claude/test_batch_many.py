"""A batch of ten thousand must not cost more than the kit that is tested with it."""

import time

import anthropic
import httpx2
import pytest

from local.fake_claude.inprocess import Fake
from tests.fake_claude.batching import PATH, many
from tests.fake_claude.conftest import ask
from tests.sweep import sizes

MANY = 10_000


@pytest.mark.parametrize("number", sizes(1_000, MANY))
def test_very_many_requests_take_seconds_of_cpu_and_each_is_answered_once(
    fake: Fake, sdk: anthropic.Anthropic, number: int
) -> None:
    fake.batching(after_s=None)
    started = time.process_time()
    batch = sdk.messages.batches.create(requests=many(number))
    fake.end_batches()
    ids = [line.custom_id for line in sdk.messages.batches.results(batch.id)]
    assert time.process_time() - started < 1 + 9 * number / MANY
    assert sorted(ids) == sorted(f"r{at}" for at in range(number))
    assert {row["billed"] for row in fake.batches()["custom_ids"].values()} == {1}


@pytest.mark.sweep
def test_others_are_answered_while_a_large_batch_is_processed(
    fake: Fake, http: httpx2.Client
) -> None:
    fake.batching(after_s=0)
    # Two seconds of work: on a busy machine one answer may take half of one.
    batch = http.post(PATH, json={"requests": many(3 * MANY)}).json()
    assert http.post("/v1/messages", json=ask()).status_code == 200
    assert http.get(f"{PATH}/{batch['id']}").json()["processing_status"] == "in_progress"
    fake.wait(batches_ended=1)
