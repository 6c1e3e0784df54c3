"""A queue for the double's own tests; its loop is closed after each."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.cloud.lane import Lane


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
