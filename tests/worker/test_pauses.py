"""A pause that one worker learns of is heard by all, and the longest one holds."""

import asyncio
from typing import Any

import pytest

from claude_core.errors import AwsUnreachable
from claude_core.jobs.rows import Rows
from tests.cloud.cloud import Do
from tests.cloud.refusing import Payload
from tests.core.jobs_cloud import START, JobsCloud
from worker_src.governor import Governor
from worker_src.pauses import Pauses

NOW = START.timestamp()
MODEL = "a-model"


class Peer:
    """One worker's pauses, in a deployment that it shares with others."""

    def __init__(self, cloud: JobsCloud) -> None:
        def now() -> float:
            return cloud.now.timestamp()

        self.governor = Governor(now)
        self._pauses = Pauses(Rows(cloud.aws, "jobs"), self.governor, now)
        self.governor.line(MODEL)

    def tell(self, pause_s: float, model: str = MODEL) -> None:
        asyncio.run(self._pauses.tell(model, pause_s))

    def hear(self) -> float:
        """Until when the line is paused, after having listened."""
        asyncio.run(self._pauses.hear())
        return self.governor.line(MODEL).paused_until - NOW


@pytest.fixture
def cloud() -> JobsCloud:
    return JobsCloud()


def test_a_pause_is_heard_by_the_others_to_the_millisecond_and_for_its_line_alone(
    cloud: JobsCloud,
) -> None:
    one, other = Peer(cloud), Peer(cloud)
    one.tell(7.25)
    another = other.governor.line("another-model")
    assert other.hear() == pytest.approx(7.25, abs=0.001)
    assert another.paused_until == 0
    assert not cloud.mistakes


def test_nothing_is_heard_where_nothing_was_told(cloud: JobsCloud) -> None:
    assert Peer(cloud).hear() == -NOW


def test_of_several_pauses_the_longest_holds(cloud: JobsCloud) -> None:
    one, other, third = Peer(cloud), Peer(cloud), Peer(cloud)
    one.tell(60)
    other.tell(20)
    assert third.hear() == 60
    other.tell(90)
    assert third.hear() == 90


def test_refusals_of_one_moment_are_told_once_and_short_ones_not_at_all(
    cloud: JobsCloud,
) -> None:
    one = Peer(cloud)
    for pause_s in (0.9, 30.0, 30.0, 30.9, 31.0, 5.0):
        one.tell(pause_s)
    assert cloud.calls["dynamodb:UpdateItem"] == 1
    one.tell(31.1)
    one.tell(1.0, "another-model")
    assert cloud.calls["dynamodb:UpdateItem"] == 3


def test_a_pause_may_be_forgotten_the_day_after(cloud: JobsCloud) -> None:
    Peer(cloud).tell(60)
    row = cloud.row(f"pause#{MODEL}")
    assert row.expires_at == NOW + 60 + 86_400


def test_what_is_told_is_heard_at_once_though_reads_may_lag(cloud: JobsCloud) -> None:
    cloud.dynamo.lag = lambda: 60.0
    Peer(cloud).tell(30)
    assert Peer(cloud).hear() == 30


def test_a_table_that_refuses_is_one_that_is_not_reached(cloud: JobsCloud) -> None:
    """Else a job that is refused by Claude would not go back, and be blamed for a crash."""
    del cloud.dynamo.tables["jobs"]
    for asking in (lambda: Peer(cloud).tell(30), Peer(cloud).hear):
        with pytest.raises(AwsUnreachable, match="the jobs table refused"):
            asking()


def test_a_line_that_is_new_while_others_are_heard_of_disturbs_nobody(cloud: JobsCloud) -> None:
    one, other = Peer(cloud), Peer(cloud)
    one.tell(30)

    async def around(service: str, action: str, payload: Payload, do: Do) -> Any:
        other.governor.line(f"new-{cloud.calls.total()}")
        return await do()

    cloud.around = around
    assert other.hear() == 30
