"""The baselines of the queue do their work: every job done, many at once where they should be."""

from collections.abc import Callable

import pytest

from benchmarks import celeries
from benchmarks.worker import Figures

pytestmark = [pytest.mark.check, pytest.mark.needs("redis-server")]


def test_the_naive_worker_does_every_job() -> None:
    """A job takes Claude a second."""
    figures = celeries.naive(12, processes=4)
    assert 0 < figures.jobs_per_s <= 4


@pytest.mark.parametrize("measure", [celeries.threads, celeries.gevent])
def test_the_tuned_worker_does_many_at_once(measure: Callable[[int], Figures]) -> None:
    """One after the other it would be one a second: gevent has patched what the SDK waits on."""
    assert measure(400).jobs_per_s > 20
