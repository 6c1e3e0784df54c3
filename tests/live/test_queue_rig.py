"""A thousand jobs by real workers that are killed every two seconds, on the local cloud."""

from concurrent.futures import Future

import pytest

from tests.live.conftest import RIG, Deployment
from tests.rig.rig import Outcome

pytestmark = pytest.mark.live
assert RIG in __file__


def test_a_thousand_jobs_survive_kills_duplicates_faults_and_poison(
    only_local: Deployment, rigged: "Future[Outcome]"
) -> None:
    outcome = rigged.result()
    outcome.check()
    assert outcome.kills >= 5
    assert outcome.crashes >= 5
