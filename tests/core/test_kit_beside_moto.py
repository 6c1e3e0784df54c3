"""The double of DynamoDB and moto answer what the kit sends alike.

The examples are the same in each run. With the environment variable `DYNAMO_EXAMPLES=20000` so many
others are drawn.
"""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_core.aws import FAILED
from tests.cloud.comparison import Comparison
from tests.cloud.examples import examples, seeds
from tests.cloud.moto_dynamo import Moto
from tests.core.kit_requests import JobRequests, MoneyRequests, Requests

BOTH = {"UpdateItem", f"UpdateItem {FAILED}", "GetItem", "PutItem"}
KINDS: dict[type[Requests], set[str]] = {
    MoneyRequests: BOTH,
    JobRequests: BOTH | {"Query", "DeleteItem", f"PutItem {FAILED}", f"DeleteItem {FAILED}"},
}
"""What must come of the requests of each kind, so that all of it is compared."""


@pytest.mark.parametrize("kind", KINDS)
def test_requests_of_the_kit_get_the_same_answers(kind: type[Requests]) -> None:
    moto, compared, left_out = Moto(), Counter[str](), Counter[str]()

    @examples(10)
    @given(st.lists(seeds(16), min_size=20, max_size=40))
    def compare(drawn: list[int]) -> None:
        requests = kind()
        comparison = Comparison(moto, requests.cloud.dynamo)
        with moto.tables_of(requests.cloud.dynamo):
            for seed in drawn:
                requests.run(seed, comparison)
            comparison.check()
        compared.update(comparison.compared)
        left_out.update(comparison.left_out)

    compare()
    assert {*compared} >= KINDS[kind]
    assert not any(outcome.endswith("ValidationException") for outcome in compared)
    assert {*left_out} <= {"a refused update"}
