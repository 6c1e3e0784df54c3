"""What can be made to happen to a batch, and how it shows what was paid."""

from typing import Any

import anthropic
import httpx2
import pytest

from local.fake_claude.inprocess import Fake
from tests.fake_claude.batching import ended, many, requests, results
from tests.fake_claude.conftest import MODEL, ask


def test_a_batch_that_is_held_ends_when_it_is_told_to_and_the_others_go_on_waiting(
    fake: Fake, sdk: anthropic.Anthropic
) -> None:
    fake.batching(after_s=None)
    first, second = (sdk.messages.batches.create(requests=many(2)).id for _ in range(2))
    assert fake.end_batches(first) == 1
    assert sdk.messages.batches.retrieve(first).processing_status == "ended"
    assert sdk.messages.batches.retrieve(second).processing_status == "in_progress"
    assert fake.end_batches() == 1
    assert fake.end_batches() == 0


def test_what_a_request_comes_to_can_be_said_by_its_id_even_when_the_batch_is_there(
    fake: Fake, sdk: anthropic.Anthropic
) -> None:
    fake.batching(after_s=None)
    batch = sdk.messages.batches.create(requests=many(6))
    outcomes = {"r0": "expired", "r1": "canceled", "r2": "errored", "r3": "overloaded"}
    fake.batching(outcomes={**outcomes, "r4": {"name": "refusal"}})
    fake.end_batches()
    found = results(sdk, sdk.messages.batches.retrieve(batch.id))
    assert [found[f"r{number}"].type for number in range(6)] == [
        *("expired", "canceled", "errored", "errored"),
        *("succeeded", "succeeded"),
    ]
    assert found["r2"].error.error.type == "api_error"
    assert found["r3"].error.error.type == "overloaded_error"
    assert found["r4"].message.stop_reason == "refusal"


def test_shares_by_chance_are_the_same_for_the_same_seed_and_anew_for_a_second_try(
    fake: Fake, sdk: anthropic.Anthropic
) -> None:
    def tally() -> list[dict[str, str]]:
        fake.reset()
        fake.batching(shares={"expired": 0.2, "overloaded": 0.1, "canceled": 0.1}, seed=7)
        runs = [results(sdk, ended(fake, sdk, many(300))) for _ in range(2)]
        return [{key: result.type for key, result in run.items()} for run in runs]

    first, second = tally()
    assert tally() == [first, second]
    assert first != second
    for kind, least, most in [("expired", 40, 80), ("errored", 15, 45), ("canceled", 15, 45)]:
        assert least < list(first.values()).count(kind) < most


def test_what_batches_cost_is_told_apart_because_it_is_half(
    fake: Fake, sdk: anthropic.Anthropic
) -> None:
    alone = sdk.messages.create(**ask("[[fake: tokens=10]]")).usage
    texts = {"a": "[[fake: tokens=20]]", "b": "[[fake: overloaded]]", "c": "[[fake: hang]]"}
    found = results(sdk, ended(fake, sdk, requests(texts)))
    usage = found["a"].message.usage
    billed = fake.stats()["billed"]
    half = billed["half_price"]
    assert (billed["completions"], half["completions"]) == (2, 1)
    assert half["output_tokens"] == usage.output_tokens == 20
    assert half["by_model"][MODEL]["input_tokens"] == usage.input_tokens
    assert billed["output_tokens"] == alone.output_tokens + usage.output_tokens


def test_it_is_told_for_each_id_how_often_it_was_submitted_and_billed(
    fake: Fake, sdk: anthropic.Anthropic
) -> None:
    fake.batching(outcomes={"r1": "errored", "r2": "expired"})
    ended(fake, sdk, many(3))
    ended(fake, sdk, many(1))
    never = dict.fromkeys(("succeeded", "errored", "canceled", "expired", "billed"), 0)
    assert fake.batches()["custom_ids"] == {
        "r0": {**never, "submitted": 2, "succeeded": 2, "billed": 2},
        "r1": {**never, "submitted": 1, "errored": 1},
        "r2": {**never, "submitted": 1, "expired": 1},
    }
    assert [batch["processing_status"] for batch in fake.batches()["batches"]] == ["ended"] * 2
    assert fake.stats()["batches"] == {
        "created": 2,
        "ended": 2,
        "submitted": 4,
        "succeeded": 2,
        "errored": 1,
        "canceled": 0,
        "expired": 1,
        "submitted_again": 1,
        "billed_again": 1,
    }


def test_a_reset_ends_the_work_and_leaves_no_batch(fake: Fake, sdk: anthropic.Anthropic) -> None:
    fresh = fake.stats()
    fake.batching(after_s=None)
    batch = sdk.messages.batches.create(requests=many(2))
    fake.reset()
    assert fake.stats() == fresh
    assert fake.batches() == {"batches": [], "custom_ids": {}}
    with pytest.raises(anthropic.NotFoundError):
        sdk.messages.batches.retrieve(batch.id)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"afters": 1}, "an object is needed, with some of"),
        ({"after_s": -1}, "not a number from 0 up"),
        ({"retrieve_404s": None}, "not a number from 0 up"),
        ({"seed": "x"}, "not a number from 0 up"),
        ({"outcomes": ["a"]}, "outcomes: an object is needed"),
        ({"outcomes": {"a": "lost"}}, "no such behaviour"),
        ({"shares": {"expired": "most"}}, "shares: a number"),
        ({"shares": {"lost": 0.5}}, "no such behaviour"),
    ],
)
def test_settings_that_cannot_be_followed_are_a_400(
    fake: Fake, settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(RuntimeError, match=words):
        fake.batching(**settings)


def test_other_settings_that_are_none_are_a_400_too(fake: Fake, http: httpx2.Client) -> None:
    bodies: list[Any] = [[], {}, {"ids": "msgbatch_x"}, {"ids": 5}]
    for body in bodies:
        assert http.post("/_fake/batches/end", json=body).status_code == 400
    assert http.post("/_fake/batches", json=[]).status_code == 400
    with pytest.raises(RuntimeError, match="has no plans"):
        fake.plan(["overloaded"], route="GET /v1/models")
