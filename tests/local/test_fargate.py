"""A deployed ECS service really runs here: from its own definition, behind its own load balancer.

Against an emulator of its own, with a stack of a few lines in the shape of the websocket pattern.
"""

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from local import cloud, deployed, fargate, keeper, transform
from local.paths import IMAGES
from local.processes import free_port
from tests.local import fargate_app

pytestmark = pytest.mark.live
REPLACED_S = 20.0


@dataclass
class Running:
    """The fixture stack, deployed and up."""

    endpoint: str
    folder: Path
    deployed_url: str
    url: str
    said: list[str] = field(default_factory=list)

    def told(self) -> Any:
        """What the task that answers was told, and who it is."""
        return httpx2.get(f"{self.url}/told", timeout=10).json()

    @property
    def service(self) -> deployed.Service:
        return self._service("Service")

    @property
    def worker(self) -> deployed.Service:
        """The service that no load balancer stands before."""
        return self._service("Worker")

    def _service(self, name: str) -> deployed.Service:
        found = deployed.services(self.endpoint, fargate_app.STACK)
        (one,) = (one for one in found if f"-{name}" in one.arn)
        return one

    def ports(self) -> list[int]:
        """Where the worker's tasks are, as its keeper has written it down."""
        file = keeper.targets(self.worker.arn.rsplit("/", 1)[-1])
        return [int(port) for port in json.loads(file.read_text())]

    def scale(self, wanted: int) -> list[int]:
        """Ask ECS for so many workers; where they are."""
        ecs, arn = cloud.client("ecs", self.endpoint), self.worker.arn
        ecs.update_service(cluster=arn.split("/")[-2], service=arn, desiredCount=wanted)
        end = time.monotonic() + REPLACED_S
        while len(ports := self.ports()) != wanted:
            assert time.monotonic() < end
            time.sleep(0.1)
        return ports

    def another_than(self, pid: int) -> Any:
        """What the next task was told, once it answers; no request fails meanwhile."""
        end = time.monotonic() + REPLACED_S
        while (told := self.told())["pid"] == pid:
            assert time.monotonic() < end
            time.sleep(0.1)
        return told


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder: Path = tmp_path_factory.mktemp("cloud")
    cloud.make_folders()
    cloud.prepare()
    endpoint = f"http://127.0.0.1:{(port := free_port())}"
    said: list[str] = []
    with ExitStack() as stack:
        emulator = stack.enter_context(cloud.start(port, name="test-cloud", state=folder))
        context = fargate_app.context(folder / "context")
        assembly = fargate_app.assembly(folder / "assembly", context)
        assert transform.leave_out(assembly)
        emulator.wait_for(f"{endpoint}/_ministack/health")
        outputs = cloud.deploy(endpoint, folder / "outputs.json", assembly)
        deployed_url = outputs[fargate_app.STACK]["ServiceUrl"]
        fargate.start(stack, endpoint, outputs, assembly=assembly, say=said.append)
        url = outputs[fargate_app.STACK]["ServiceUrl"]
        yield Running(endpoint, assembly, deployed_url, url, said)


def test_the_output_that_named_the_load_balancer_is_an_address_on_this_machine(
    running: Running,
) -> None:
    assert ".elb.amazonaws.com" in running.deployed_url
    assert running.url.startswith("http://127.0.0.1:")
    assert httpx2.get(f"{running.url}/health", timeout=10).status_code == 200


def test_the_task_has_what_its_deployed_definition_says_and_no_more(running: Running) -> None:
    env = running.told()["env"]
    assert (env["MARKED"], env["OVERRIDDEN"], env["TOLD_BY"]) == ("1", "definition", "image")
    assert env["TABLE"].startswith(f"{fargate_app.STACK}-Table")
    assert (env["AWS_ENDPOINT_URL"], env["AWS_REGION"]) == (running.endpoint, cloud.REGION)
    assert not {"PYTHONPATH", "VIRTUAL_ENV", "ANTHROPIC_API_KEY"} & {*env}


def test_it_runs_on_the_lock_that_its_image_would_hold_and_not_on_ours(running: Running) -> None:
    assert Path(running.told()["python"]).parent == IMAGES


def test_stop_timeout_and_health_check_are_the_deployed_ones(running: Running) -> None:
    container = running.service.container
    assert container.stop_timeout_s == 7
    assert container.health == ["python", "-c", fargate_app.HEALTHY]


def test_a_stream_and_a_websocket_come_through(running: Running) -> None:
    with httpx2.stream("GET", f"{running.url}/stream", timeout=10) as answer:
        times = [(time.monotonic(), chunk) for chunk in answer.iter_raw()]
    assert b"".join(chunk for _, chunk in times) == b"data: 0\n\ndata: 1\n\ndata: 2\n\n"
    assert times[-1][0] - times[0][0] > 0.3
    address = running.url.replace("http", "ws")
    with connect(f"{address}/chat", subprotocols=[Subprotocol("claude.v1")]) as ws:
        ws.send("hello")
        assert ws.recv(timeout=10) == "hello"


def test_the_emulators_own_load_balancer_reaches_the_task_but_carries_no_websocket(
    running: Running,
) -> None:
    """The day that it does, local/balancer.py can go."""
    host = running.deployed_url.removeprefix("http://")
    answer = httpx2.get(f"{running.endpoint}/told", headers={"host": host}, timeout=10)
    assert answer.json()["pid"] == running.told()["pid"]
    address = running.endpoint.replace("http", "ws")
    with pytest.raises(InvalidStatus), connect(f"{address}/_alb/{host.split('.')[0]}/chat"):
        pass


def test_a_service_without_a_load_balancer_runs_beside_the_other(running: Running) -> None:
    assert running.worker.target_group is None
    (port,) = running.ports()
    told = httpx2.get(f"http://127.0.0.1:{port}/told", timeout=10).json()
    assert told["pid"] != running.told()["pid"]


def test_tasks_are_as_many_as_ecs_is_asked_for_from_none_and_back(running: Running) -> None:
    """As whoever sends a job to an idle queue asks for the first."""
    (before,) = running.ports()
    running.scale(0)
    end = time.monotonic() + REPLACED_S
    while answers(before):
        assert time.monotonic() < end
        time.sleep(0.1)
    ports = running.scale(2)
    assert all(answers(port) for port in ports), "each is healthy when it is written down"
    assert running.scale(1) == ports[:1]
    assert running.told(), "the other service goes on"


def answers(port: int) -> bool:
    try:
        return httpx2.get(f"http://127.0.0.1:{port}/health", timeout=10).status_code == 200
    except httpx2.TransportError:
        return False


def test_a_task_that_dies_is_replaced_and_said(running: Running) -> None:
    pid = running.told()["pid"]
    os.kill(pid, signal.SIGKILL)
    end = time.monotonic() + REPLACED_S
    while time.monotonic() < end:
        answer = httpx2.get(f"{running.url}/told", timeout=10)
        if answer.status_code == 200:
            break
        assert answer.status_code in (502, 503)
        time.sleep(0.1)
    assert running.told()["pid"] != pid
    assert "a task ended with" in running.said[-1]


def test_a_new_deployment_answers_before_the_old_task_goes(running: Running) -> None:
    """As ECS with min healthy 100 %: no request in between fails."""
    pid = running.told()["pid"]
    cluster, arn = running.service.arn.split("/")[-2], running.service.arn
    ecs = cloud.client("ecs", running.endpoint)
    ecs.update_service(cluster=cluster, service=arn, forceNewDeployment=True)
    assert running.another_than(pid)["env"]["MARKED"] == "1"


def test_a_deploy_of_another_definition_brings_a_task_with_it(
    running: Running, tmp_path: Path
) -> None:
    pid = running.told()["pid"]
    context = fargate_app.context(tmp_path / "context")
    again = fargate_app.assembly(tmp_path / "assembly", context, marked="2")
    transform.leave_out(again)
    cloud.deploy(running.endpoint, tmp_path / "outputs.json", again)
    assert running.another_than(pid)["env"]["MARKED"] == "2"
