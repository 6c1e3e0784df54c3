"""Ways in which batches go wrong between their creation and the last line of their results."""

from typing import Any

import anthropic
import httpx2
import pytest

from local.fake_claude.inprocess import Fake
from tests.fake_claude.batching import PATH, ended, many, results
from tests.fake_claude.conftest import ask


def statuses(http: httpx2.Client, path: str, count: int) -> list[int]:
    return [http.get(path).status_code for _ in range(count)]


def test_a_new_batch_is_not_found_as_often_as_was_asked(fake: Fake, http: httpx2.Client) -> None:
    fake.batching(retrieve_404s=2, results_404s=1, unlisted=2)
    batch = http.post(PATH, json={"requests": many(1)}).json()
    fake.end_batches()
    assert statuses(http, f"{PATH}/{batch['id']}", 4) == [404, 404, 200, 200]
    assert statuses(http, f"{PATH}/{batch['id']}/results", 3) == [404, 200, 200]
    listed = [len(http.get(PATH).json()["data"]) for _ in range(4)]
    assert listed == [0, 0, 1, 1]


@pytest.mark.parametrize("name", ["reset", "truncated", "hang for_s=0"])
def test_a_batch_can_be_created_although_its_caller_never_hears_of_it(
    fake: Fake, sdk: anthropic.Anthropic, name: str
) -> None:
    fake.plan([f"{name} billed=true"], route=f"POST {PATH}")
    with pytest.raises((anthropic.APIConnectionError, ValueError)):
        sdk.messages.batches.create(requests=many(2))
    (batch,) = sdk.messages.batches.list().data
    assert batch.request_counts.processing == 2
    fake.end_batches()
    assert results(sdk, sdk.messages.batches.retrieve(batch.id)).keys() == {"r0", "r1"}


@pytest.mark.parametrize("name", ["reset", "rate_limited", "overloaded", "server_error"])
def test_a_create_that_is_refused_or_broken_creates_nothing(
    fake: Fake, sdk: anthropic.Anthropic, name: str
) -> None:
    fake.plan([name], route=f"POST {PATH}")
    with pytest.raises(anthropic.APIError):
        sdk.messages.batches.create(requests=many(2))
    assert fake.stats()["batches"]["created"] == 0
    assert sdk.messages.create(**ask()).stop_reason == "end_turn"


def test_a_wrong_batch_is_not_counted_against_the_plan(fake: Fake, http: httpx2.Client) -> None:
    fake.plan(["overloaded"], route=f"POST {PATH}")
    assert http.post(PATH, json={"requests": []}).status_code == 400
    assert http.post(PATH, json={"requests": many(1)}).status_code == 529


@pytest.mark.parametrize(
    ("route", "call"),
    [
        (f"GET {PATH}", lambda sdk, batch: sdk.messages.batches.list()),
        (f"GET {PATH}/{{id}}", lambda sdk, batch: sdk.messages.batches.retrieve(batch.id)),
        (f"GET {PATH}/{{id}}/results", lambda sdk, batch: sdk.messages.batches.results(batch.id)),
        (f"DELETE {PATH}/{{id}}", lambda sdk, batch: sdk.messages.batches.delete(batch.id)),
    ],
)
def test_every_route_of_batches_can_have_a_plan_of_its_own(
    fake: Fake, sdk: anthropic.Anthropic, route: str, call: Any
) -> None:
    batch = ended(fake, sdk, many(1))
    fake.plan(["overloaded"], route=route)
    with pytest.raises(anthropic.InternalServerError):
        call(sdk, batch)
    assert call(sdk, batch)


def test_a_cancellation_can_be_done_although_its_answer_is_lost(
    fake: Fake, sdk: anthropic.Anthropic
) -> None:
    fake.batching(after_s=None)
    batch = sdk.messages.batches.create(requests=many(1))
    fake.plan(["reset billed=true"], route=f"POST {PATH}/{{id}}/cancel")
    with pytest.raises(anthropic.APIConnectionError):
        sdk.messages.batches.cancel(batch.id)
    assert sdk.messages.batches.retrieve(batch.id).processing_status == "canceling"


@pytest.mark.parametrize(
    ("script", "broken"), [("reset after=3", True), ("hang after=3 for_s=0", True), ("cut", False)]
)
def test_results_break_after_so_many_lines_and_a_clean_cut_looks_like_the_end(
    fake: Fake, sdk: anthropic.Anthropic, script: str, broken: bool
) -> None:
    batch = ended(fake, sdk, many(10))
    fake.plan([script], route=f"GET {PATH}/{{id}}/results")
    seen: list[str] = []
    try:
        seen.extend(line.custom_id for line in sdk.messages.batches.results(batch.id))
    except httpx2.HTTPError:
        assert broken
    else:
        assert not broken
        assert len(seen) == 3
    assert len(results(sdk, batch)) == 10


def test_results_are_streamed_and_who_leaves_in_the_middle_is_noticed(
    fake: Fake, sdk: anthropic.Anthropic, http: httpx2.Client
) -> None:
    batch = ended(fake, sdk, many(10))
    fake.plan(["hold after=3"], route=f"GET {PATH}/{{id}}/results")
    with http.stream("GET", f"{PATH}/{batch.id}/results") as answer:
        lines = answer.iter_lines()
        assert len({next(lines) for _ in range(3)}) == 3
        fake.wait(held=1)
    fake.wait(left=1)


def test_a_fifth_of_all_calls_can_fail_in_mixed_ways_the_same_for_the_same_seed(
    fake: Fake, http: httpx2.Client
) -> None:
    def run() -> list[int | str]:
        mix = ["overloaded", "server_error", "reset", "rate_limited"]
        fake.plan(mix, route=f"POST {PATH}", probability=0.2, seed=3)
        seen: list[int | str] = []
        for _ in range(100):
            try:
                seen.append(http.post(PATH, json={"requests": many(1)}).status_code)
            except httpx2.HTTPError as err:
                seen.append(type(err).__name__)
        return seen

    first = run()
    assert run() == first
    assert 10 < 100 - first.count(200) < 30
    assert set(first) == {200, 529, 500, 429, "ReadError"}
