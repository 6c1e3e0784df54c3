"""The real worker under faults and kills, on a virtual clock; `make faults` plays many more."""

import pytest

from tests.faults import each
from tests.faults.scenario import by_seed, play
from tests.sweep import sizes


@pytest.mark.parametrize("seed", range(12))
def test_every_job_ends_once_and_is_paid_once_under_faults_and_crashes(seed: int) -> None:
    play(by_seed(seed, 60))


@pytest.mark.parametrize("every", sizes(11, 1))
def test_each_failpoint_alone_loses_nothing_and_pays_nothing_twice(every: int) -> None:
    played = [play(scenario) for _, scenario in each.scenarios(every=every)]
    assert len(played) > 400 / every
    dead = sum(world.processes[0].dead for world in played)
    assert dead > 250 / every, "the kills did not kill"
