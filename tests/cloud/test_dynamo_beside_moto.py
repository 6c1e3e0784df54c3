"""The double of DynamoDB and moto answer the same random requests alike.

The examples are the same in each run. With the environment variable `DYNAMO_EXAMPLES=20000` so many
others are drawn, here and in `tests/core/test_kit_beside_moto.py`.
"""

from collections import Counter

import pytest
from hypothesis import given

from tests.cloud.comparison import Comparison
from tests.cloud.dynamo import Dynamo
from tests.cloud.dynamo_requests import INDEXES, SEQUENCES, TABLE, Sequence
from tests.cloud.examples import examples
from tests.cloud.moto_differences import DIFFERENCES
from tests.cloud.moto_dynamo import Moto, Outcome

OUTCOMES = {
    *("PutItem", "PutItem ConditionalCheckFailedException"),
    *("UpdateItem", "UpdateItem ConditionalCheckFailedException", "UpdateItem ValidationException"),
    *("DeleteItem", "DeleteItem ConditionalCheckFailedException"),
    *("Query", "Query ValidationException", "GetItem", "BatchGetItem"),
}
"""What must come of the requests, so that all of it is compared."""


def test_random_requests_get_the_same_answers(moto: Moto) -> None:
    compared, left_out = Counter[str](), Counter[str]()

    @examples(100)
    @given(SEQUENCES)
    def compare(sequence: Sequence) -> None:
        dynamo = Dynamo(lambda: 0.0)
        dynamo.add(TABLE, sequence.keys, **INDEXES)
        comparison = Comparison(moto, dynamo)
        with moto.tables_of(dynamo):
            for request in sequence.requests:
                comparison.ask(request)
            comparison.check()
        compared.update(comparison.compared)
        left_out.update(comparison.left_out)

    compare()
    assert {*compared} >= OUTCOMES
    whole = sum(times for name, times in left_out.items() if not DIFFERENCES[name].part)
    assert whole < compared.total() / 4


@pytest.mark.parametrize("name", DIFFERENCES)
def test_moto_still_differs(name: str, moto: Moto) -> None:
    known = DIFFERENCES[name]
    request = known.example
    dynamo = Dynamo(lambda: 0.0)
    table = dynamo.add(TABLE, known.keys, **INDEXES)
    table.add(*known.items)
    assert known.applies(Comparison(moto, dynamo).seen(request))
    with moto.tables_of(dynamo):
        ours = Outcome.of(dynamo.do, request.action, request.asked)
        theirs = Outcome.of(moto.do, request.action, request.asked)
        stored = [] if theirs.error == "Crash" else moto.items(TABLE)
    assert ours.error == known.error
    if known.part:
        assert ours.without({known.part}) == theirs.without({known.part})
    assert ours != theirs or stored != list(table.items.values())
