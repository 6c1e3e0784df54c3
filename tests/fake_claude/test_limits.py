"""Rate limits as token buckets, so that a client can learn what it may do."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import httpx2
import pytest

from local.fake_claude import bucket
from local.fake_claude.inprocess import Fake
from tests.fake_claude.batching import PATH, many
from tests.fake_claude.conftest import ask
from tests.fake_claude.test_rejections import assert_error

LONG = [{"type": "text", "text": "x" * 8_000, "cache_control": {"type": "ephemeral"}}]
OPUS = "claude-opus-5-5"


class Clock:
    """The time of the buckets, which stands still unless it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def clock(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(bucket, "monotonic", clock)
    return clock


def left(headers: Mapping[str, str], name: str = "requests") -> int:
    return int(headers[f"anthropic-ratelimit-{name}-remaining"])


def post(http: httpx2.Client, **fields: Any) -> httpx2.Response:
    return http.post("/v1/messages", json=ask(**fields))


def test_requests_beyond_the_limit_are_refused_until_retry_after(
    fake: Fake, http: httpx2.Client, clock: Clock
) -> None:
    fake.limits(requests=3)
    assert [left(post(http).headers) for _ in range(3)] == [2, 1, 0]
    refused = post(http)
    assert_error(refused, 429, "rate_limit_error", "rate limit of 3 requests per minute")
    assert refused.headers["retry-after"] == "20"
    clock.now = 19.9
    assert post(http).status_code == 429
    clock.now = 20
    assert post(http).status_code == 200
    clock.now = 1_000
    assert left(post(http).headers) == 2
    assert fake.stats()["billed"]["completions"] == 5


def test_a_bucket_is_full_again_when_its_header_says(fake: Fake, http: httpx2.Client) -> None:
    fake.limits(requests=10, window_s=100)
    post(http)
    headers = post(http).headers
    reset = dt.datetime.fromisoformat(headers["anthropic-ratelimit-requests-reset"])
    assert 10 < (reset - dt.datetime.now(dt.UTC)).total_seconds() <= 21


def test_every_model_line_has_buckets_of_its_own(fake: Fake, http: httpx2.Client) -> None:
    fake.limits(requests=5)
    fake.limits(requests=2, line="haiku")
    assert [left(post(http).headers), left(post(http, model=OPUS).headers)] == [1, 4]
    assert [post(http).status_code for _ in range(2)] == [200, 429]
    assert left(post(http, model=OPUS).headers) == 3


def test_a_prompt_that_does_not_fit_is_refused_and_its_cached_part_is_free(
    fake: Fake, http: httpx2.Client
) -> None:
    fake.limits(input_tokens=2_500)
    first = post(http, system=LONG)
    assert left(first.headers, "input-tokens") == 2_500 - 2_005
    assert post(http, system=LONG[0]["text"]).status_code == 429
    again = post(http, system=LONG)
    assert left(again.headers, "input-tokens") == 2_500 - 2_005 - 5
    refused = post(http, text="y" * 8_000)
    assert_error(refused, 429, "rate_limit_error", "2,500 input tokens per minute")
    assert left(refused.headers, "input-tokens") == 490
    assert refused.headers["retry-after"] == "37"  # 1,510 of 2,500 are missing


def test_a_prompt_larger_than_the_limit_never_fits(
    fake: Fake, http: httpx2.Client, clock: Clock
) -> None:
    fake.limits(input_tokens=10)
    for _ in range(2):
        refused = post(http, text="y" * 400)
        assert refused.status_code == 429
        clock.now += int(refused.headers["retry-after"])


def test_output_is_counted_when_it_is_there_so_that_the_next_one_waits_for_it(
    fake: Fake, http: httpx2.Client, clock: Clock
) -> None:
    fake.limits(output_tokens=60)
    long = post(http, text="[[fake: tokens=100]]")
    assert (long.status_code, left(long.headers, "output-tokens")) == (200, 0)
    refused = post(http)
    assert_error(refused, 429, "rate_limit_error", "60 output tokens per minute")
    assert refused.headers["retry-after"] == "41"
    clock.now = 41
    assert post(http).status_code == 200


def test_who_is_refused_for_the_rate_takes_no_turn_of_the_plan(
    fake: Fake, http: httpx2.Client
) -> None:
    fake.limits(requests=1)
    fake.plan(["answer", "overloaded"])
    assert [post(http).status_code for _ in range(3)] == [200, 429, 429]
    assert fake.stats()["planned"] == 1


def test_a_scripted_429_shows_nothing_left_whatever_there_is(
    fake: Fake, http: httpx2.Client
) -> None:
    fake.plan(["rate_limited"])
    refused = post(http)
    for name in ("requests", "input-tokens", "output-tokens", "tokens"):
        assert left(refused.headers, name) == 0
    assert left(post(http).headers) > 0


def test_without_a_rule_nobody_is_refused(fake: Fake, http: httpx2.Client) -> None:
    assert {post(http, text="[[fake: tokens=200000]]").status_code for _ in range(20)} == {200}
    fake.limits(requests=1)
    fake.limits()
    assert [post(http).status_code for _ in range(3)] == [200] * 3


def test_the_routes_of_batches_share_a_limit_of_their_own(fake: Fake, http: httpx2.Client) -> None:
    fake.limits(requests=2, line="batches")
    fake.limits(requests=1)
    created = http.post(PATH, json={"requests": many(5)})
    assert left(created.headers) == 1
    assert "anthropic-ratelimit-input-tokens-limit" not in created.headers
    assert http.get(PATH).status_code == 200
    refused = http.get(f"{PATH}/{created.json()['id']}")
    assert_error(refused, 429, "rate_limit_error", "2 requests per minute (model line: batches)")
    assert post(http).status_code == 200


def test_the_requests_in_a_batch_do_not_count_against_those_of_messages(
    fake: Fake, http: httpx2.Client
) -> None:
    fake.limits(requests=2, line="haiku")
    http.post(PATH, json={"requests": many(5)})
    fake.end_batches()
    assert left(post(http).headers) == 1


def test_only_what_is_limited_by_model_shows_a_limit(http: httpx2.Client) -> None:
    for path in ("/v1/models", "/v1/models/claude-haiku-5-5"):
        assert not [name for name in http.get(path).headers if "ratelimit" in name]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"requests": 0}, "not a number above 0"),
        ({"requests": "5"}, "not a number above 0"),
        ({"input_tokens": True}, "not a number above 0"),
        ({"window_s": None}, "not a number above 0"),
        ({"line": "sonata"}, "is none of haiku"),
        ({"per_minute": 5}, "a rule is an object with some of"),
    ],
)
def test_a_rule_that_is_none_is_a_400(fake: Fake, rule: dict[str, Any], words: str) -> None:
    with pytest.raises(RuntimeError, match=words):
        fake.limits(**rule)
