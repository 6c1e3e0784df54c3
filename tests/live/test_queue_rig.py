"""A thousand jobs by real workers that are killed every two seconds, on the local cloud."""

import pytest

from tests.live.conftest import Deployment
from tests.rig.rig import run

pytestmark = pytest.mark.live


def test_a_thousand_jobs_survive_kills_duplicates_faults_and_poison(
    only_local: Deployment,
) -> None:
    outcome = run(1_000, say=print)
    outcome.check()
    assert outcome.kills >= 5
    assert outcome.crashes >= 5
