"""What the real API refuses about a batch when it is created or asked for, the fake refuses."""

from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.fake_claude import batch_check, request
from local.fake_claude.inprocess import Fake
from tests.fake_claude.batching import PATH, many
from tests.fake_claude.conftest import HEADERS, ask
from tests.fake_claude.test_any_body import ANY, FIELDS
from tests.fake_claude.test_rejections import assert_error

ITEM = {"custom_id": "a", "params": ask()}
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({}, "requests: Field required"),
    ({"requests": []}, "requests: List should have at least 1 item after validation, not 0"),
    ({"requests": "all"}, "requests: Input should be a valid list"),
    ({"requests": ["hi"]}, "requests.0: Input should be a valid dictionary"),
    ({"requests": [ITEM], "metadata": {}}, "metadata: Extra inputs are not permitted"),
    ({"requests": [{"params": {}}]}, "requests.0.custom_id: Field required"),
    ({"requests": [{"custom_id": "a"}]}, "requests.0.params: Field required"),
    ({"requests": [{**ITEM, "method": "POST"}]}, "requests.0.method: Extra inputs"),
    ({"requests": [{**ITEM, "params": "hi"}]}, "requests.0.params: Input should be a valid"),
    ({"requests": [{**ITEM, "custom_id": 5}]}, "requests.0.custom_id: Input should be a valid"),
    ({"requests": [{**ITEM, "custom_id": ""}]}, "requests.0.custom_id: String should match"),
    ({"requests": [ITEM, {**ITEM, "custom_id": "b.c"}]}, "requests.1.custom_id: String should"),
    ({"requests": [{**ITEM, "custom_id": "a\n"}]}, "match pattern '^[a-zA-Z0-9_-]{1,64}$'"),
    ({"requests": [{**ITEM, "custom_id": "a" * 65}]}, "should have at most 64 characters"),
    ({"requests": [ITEM, ITEM]}, "must be unique within a batch. Duplicate custom_id found: a"),
]


@pytest.mark.parametrize(("body", "words"), REFUSED, ids=lambda value: str(value)[:50])
def test_a_wrong_batch_is_a_400_that_names_what_is_wrong_and_is_not_created(
    fake: Fake, http: httpx2.Client, body: dict[str, Any], words: str
) -> None:
    assert_error(http.post(PATH, json=body), 400, "invalid_request_error", words)
    assert fake.stats()["batches"]["created"] == 0


def test_every_character_that_an_id_may_have_is_taken(http: httpx2.Client) -> None:
    ids = ["a" * 64, "AZaz09_-", "-", "_"]
    wanted = [{"custom_id": each, "params": ask()} for each in ids]
    assert http.post(PATH, json={"requests": wanted}).status_code == 200


def test_more_requests_than_a_batch_may_have_are_a_400(
    http: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert batch_check.MOST_REQUESTS == 100_000
    monkeypatch.setattr(batch_check, "MOST_REQUESTS", 3)
    assert http.post(PATH, json={"requests": many(3)}).status_code == 200
    answer = http.post(PATH, json={"requests": many(4)})
    assert_error(answer, 400, "invalid_request_error", "at most 3 items after validation, not 4")


def test_a_batch_may_be_larger_than_a_message_and_beyond_its_own_limit_it_is_a_413(
    fake: Fake, http: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert request.LARGEST_BATCH_BYTES == 256 * 1024 * 1024
    monkeypatch.setattr(request, "LARGEST_BATCH_BYTES", request.LARGEST_BYTES + 10)
    answer = http.post(PATH, content=b" " * (request.LARGEST_BYTES + 10))
    assert_error(answer, 400, "invalid_request_error", "not valid JSON")
    answer = http.post(PATH, content=b" " * (request.LARGEST_BYTES + 11))
    assert_error(answer, 413, "request_too_large", "maximum size")


CALLS = [
    ("POST", PATH),
    ("GET", PATH),
    ("GET", f"{PATH}/msgbatch_x"),
    ("GET", f"{PATH}/msgbatch_x/results"),
    ("POST", f"{PATH}/msgbatch_x/cancel"),
    ("DELETE", f"{PATH}/msgbatch_x"),
]


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_every_route_asks_for_a_key_and_a_version(fake: Fake, method: str, path: str) -> None:
    url = fake.url + path
    answer = httpx2.request(method, url, headers={**HEADERS, "x-api-key": "no"}, trust_env=False)
    assert_error(answer, 401, "authentication_error", "")
    headers = {"x-api-key": HEADERS["x-api-key"]}
    answer = httpx2.request(method, url, headers=headers, trust_env=False)
    assert_error(answer, 400, "invalid_request_error", "anthropic-version")


@pytest.mark.parametrize(("method", "path"), CALLS[2:])
def test_an_unknown_batch_is_a_404_that_names_it(
    http: httpx2.Client, method: str, path: str
) -> None:
    answer = http.request(method, path)
    assert_error(answer, 404, "not_found_error", "Message Batch msgbatch_x not found.")


def test_results_before_the_end_are_a_404_that_says_so(fake: Fake, http: httpx2.Client) -> None:
    fake.batching(after_s=None)
    batch = http.post(PATH, json={"requests": many(1)}).json()
    answer = http.get(f"{PATH}/{batch['id']}/results")
    assert_error(answer, 404, "not_found_error", f"{batch['id']} has no available results.")


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "all"])
def test_a_page_has_from_1_to_1000_batches(http: httpx2.Client, limit: str) -> None:
    answer = http.get(PATH, params={"limit": limit})
    assert_error(answer, 400, "invalid_request_error", "limit: Input should be")


@pytest.mark.parametrize(
    ("method", "path"),
    [("DELETE", PATH), ("POST", f"{PATH}/x"), ("GET", f"{PATH}/x/cancel")],
)
def test_a_wrong_method_is_a_405(http: httpx2.Client, method: str, path: str) -> None:
    answer = http.request(method, path)
    assert_error(answer, 405, "invalid_request_error", "Method Not Allowed")


def test_calls_are_counted_by_route_without_the_ids(fake: Fake, http: httpx2.Client) -> None:
    for method, path in [*CALLS, ("GET", f"{PATH}/x/y")]:
        http.request(method, path)
    assert {route: counts["total"] for route, counts in fake.stats()["calls"].items()} == {
        f"POST {PATH}": 1,
        f"GET {PATH}": 1,
        f"GET {PATH}/{{id}}": 1,
        f"GET {PATH}/{{id}}/results": 1,
        f"POST {PATH}/{{id}}/cancel": 1,
        f"DELETE {PATH}/{{id}}": 1,
        "GET (unknown)": 1,
    }


@settings(
    max_examples=50,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(params=st.lists(st.dictionaries(FIELDS, ANY, max_size=3), min_size=1, max_size=5))
def test_whatever_the_requests_are_the_batch_ends(
    fake: Fake, http: httpx2.Client, params: list[dict[str, Any]]
) -> None:
    wanted = [
        {"custom_id": f"r{number}", "params": {**ask(), **changes}}
        for number, changes in enumerate(params)
    ]
    batch = http.post(PATH, json={"requests": wanted}).json()
    fake.end_batches(batch["id"])
    lines = http.get(f"{PATH}/{batch['id']}/results").text.splitlines()
    assert len(lines) == len(wanted)
