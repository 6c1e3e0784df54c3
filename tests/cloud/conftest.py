"""What tests of the doubles share: queues whose loop is closed after each, and one moto."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.cloud.lane import Lane
from tests.cloud.moto_dynamo import Moto


@pytest.fixture
def lane() -> Iterator[Callable[..., Lane]]:
    """Makes queues with settings of their own."""
    made: list[Lane] = []

    def make(**settings: Any) -> Lane:
        made.append(Lane(**settings))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture(scope="session")
def moto() -> Moto:
    return Moto()
