"""Jobs are told to the queues of their lanes, and a service without tasks is given its first."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_core.errors import AwsUnreachable
from claude_core.jobs.job import Job
from claude_core.jobs.sending import Sending, unsent
from claude_core.jobs.settings import JobSettings, StartSettings
from claude_core.jobs.starter import ECS, EVERY_S, Starter
from tests.cloud.cloud import Do
from tests.cloud.refusing import Payload, refused
from tests.core.jobs_cloud import JobsCloud, job

SERVICES = StartSettings(cluster="workers", now_service="now-service", long_service="long-service")


class Ecs:
    """Services of one cluster, by how many tasks each is to have."""

    def __init__(self) -> None:
        self.desired = {"now-service": 0, "long-service": 0}
        self.status = "ACTIVE"

    async def call(self, action: str, asked: Payload) -> dict[str, Any]:
        assert asked["cluster"] == "workers"
        if action == "UpdateService":
            self.desired[asked["service"]] = asked["desiredCount"]
            return {}
        return {
            "services": [
                {"status": self.status, "desiredCount": self.desired[name]}
                for name in asked["services"]
            ]
        }


class Starting(JobsCloud):
    """With ECS; `trouble` is what the log was told."""

    def __init__(self) -> None:
        super().__init__()
        self.ecs, self.trouble = Ecs(), list[str]()
        self.services["ecs"] = (ECS, self.ecs)
        self.seconds = 1_000.0
        self.urls = {name: self.sqs.add(name) for name in ("now", "long", "batch")}

    def starter(self) -> Starter:
        """As another process has it."""
        return Starter(
            self.aws,
            table="jobs",
            cluster="workers",
            trouble=self.trouble.append,
            now=lambda: self.seconds,
        )

    def sending(self) -> Sending:
        queues = {f"{name}_queue": url for name, url in self.urls.items()}
        settings = JobSettings(
            jobs_table="jobs",
            files_bucket="files",
            event_bus="jobs",
            **queues,
            **dict.fromkeys(("now_dlq", "long_dlq", "batch_dlq"), "none"),
        )
        return Sending(self.aws, settings, SERVICES, self.starter())

    def kept(self, *bodies: dict[str, Any]) -> list[Job]:
        async def keep() -> list[Job]:
            return [(await self.jobs.keep(job(**body))).job for body in bodies]

        return asyncio.run(keep())


@pytest.fixture
def cloud() -> Starting:
    return Starting()


def start(cloud: Starting, starter: Starter | None = None) -> None:
    asyncio.run((starter or cloud.starter()).start("now-service"))


def test_a_service_without_tasks_gets_one_and_the_other_none(cloud: Starting) -> None:
    start(cloud)
    assert cloud.ecs.desired == {"now-service": 1, "long-service": 0}


def test_a_service_with_tasks_keeps_them(cloud: Starting) -> None:
    cloud.ecs.desired["now-service"] = 3
    start(cloud)
    assert cloud.ecs.desired["now-service"] == 3
    assert cloud.calls["ecs:UpdateService"] == 0


def test_a_service_that_is_being_deleted_is_left_alone(cloud: Starting) -> None:
    cloud.ecs.status = "DRAINING"
    start(cloud)
    assert cloud.ecs.desired["now-service"] == 0


def test_one_process_looks_once_a_minute_whoever_sends(cloud: Starting) -> None:
    same = cloud.starter()
    for _ in range(5):
        start(cloud, same)
        start(cloud)
    assert cloud.calls["ecs:DescribeServices"] == 1
    assert cloud.calls["dynamodb:UpdateItem"] == 6, "who has looked asks nobody for a minute"
    cloud.seconds += EVERY_S
    start(cloud, same)
    assert cloud.calls["ecs:DescribeServices"] == 2


@given(looks=st.lists(st.integers(0, 100), min_size=1, max_size=30))
def test_two_looks_are_never_nearer_than_a_minute_and_the_next_to_send_after_it_looks(
    looks: list[int],
) -> None:
    cloud = Starting()
    seen: list[float] = []
    for later in looks:
        cloud.seconds += later
        before = cloud.calls["ecs:DescribeServices"]
        start(cloud)
        if cloud.calls["ecs:DescribeServices"] > before:
            assert not seen or cloud.seconds - seen[-1] >= EVERY_S
            seen.append(cloud.seconds)
        else:
            assert cloud.seconds - seen[-1] < EVERY_S


@pytest.mark.parametrize("broken", ["UpdateItem", "DescribeServices", "UpdateService"])
@pytest.mark.parametrize("error", [AwsUnreachable("down"), refused("AccessDenied", "no"), "hang"])
def test_what_fails_is_written_down_and_is_nobodys_error(
    cloud: Starting, broken: str, error: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("claude_core.jobs.starter.LONGEST_S", 0.05)

    async def around(service: str, action: str, payload: Payload, do: Do) -> Any:
        if action == broken and error == "hang":
            await asyncio.Event().wait()
        if action == broken:
            raise error
        return await do()

    cloud.around = around
    start(cloud)
    (said,) = cloud.trouble
    assert said.startswith("now-service could not be looked at")


def test_many_jobs_of_all_lanes_go_ten_at_a_time_and_each_once(cloud: Starting) -> None:
    bodies: list[dict[str, Any]] = [
        *[{}] * 23,
        *[{"long": True}] * 12,
        *[{"lane": "batch"}] * 30,
        *[{"lane": "batch", "model": "fast"}] * 5,
    ]
    jobs = cloud.kept(*bodies)
    sent: dict[str, list[dict[str, Any]]] = {url: [] for url in cloud.urls.values()}

    async def around(service: str, action: str, payload: Payload, do: Do) -> Any:
        if action == "SendMessageBatch":
            sent[payload["QueueUrl"]] += payload["Entries"]
        return await do()

    cloud.around = around
    asyncio.run(cloud.sending().send(jobs))
    for queue, its in (("now", jobs[:23]), ("long", jobs[23:35])):
        pointers = [json.loads(one["MessageBody"]) for one in sent[cloud.urls[queue]]]
        assert [one["job"] for one in pointers] == [one.id for one in its]
    wakes = [json.loads(one["MessageBody"]) for one in sent[cloud.urls["batch"]]]
    assert wakes == [{"wake": "claude-haiku-5-5"}, {"wake": "claude-sonnet-5-5"}]
    assert cloud.calls["sqs:SendMessageBatch"] == 3 + 2 + 2
    assert cloud.ecs.desired == {"now-service": 1, "long-service": 1}
    assert cloud.mistakes == []


@pytest.mark.parametrize("queue", ["now", "long", "batch"])
def test_a_queue_that_does_not_take_them_is_an_error(cloud: Starting, queue: str) -> None:
    jobs = cloud.kept({}, {"long": True}, {"lane": "batch"})

    async def around(service: str, action: str, payload: Payload, do: Do) -> Any:
        if payload.get("QueueUrl") == cloud.urls[queue]:
            raise refused("AccessDenied", "denied")
        return await do()

    cloud.around = around
    with pytest.raises(AwsUnreachable):
        asyncio.run(cloud.sending().send(jobs))


@pytest.mark.parametrize(
    ("status", "attempts", "sent"),
    [
        ("queued", 0, True),
        ("queued", 1, False),
        ("running", 1, False),
        ("batched", 1, False),
        ("cancelled", 0, False),
        ("done", 1, False),
    ],
)
def test_only_what_nobody_has_begun_is_sent_again(
    cloud: Starting, status: str, attempts: int, sent: bool
) -> None:
    (one,) = cloud.kept({})
    cloud.change(one.id, status={"S": status}, attempts={"N": str(attempts)})
    assert unsent(cloud.row(one.id)) is sent


def test_nothing_is_sent_for_nothing(cloud: Starting) -> None:
    asyncio.run(cloud.sending().send([]))
    assert not cloud.calls
