"""A task runs as its definition says, and ends as Fargate ends it: SIGTERM, then SIGKILL."""

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from local import cloud
from local.images import Image
from local.task import Container, Task

# Serves what it was told; deaf to SIGTERM if it was told so; healthy a moment after its start.
PROGRAM = """
import http.server, json, os, signal, sys, time
if os.environ["DEAF"]:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
else:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
class Told(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(dict(os.environ, cwd=os.getcwd())).encode())
    def log_message(self, *_):
        pass
time.sleep(0.5)
http.server.HTTPServer(("127.0.0.1", int(os.environ["AWS_LWA_PORT"])), Told).serve_forever()
"""
HEALTHY = "import urllib.request as u; u.urlopen('http://localhost:8080/', timeout=5)"


class Here(Image):
    """This test's own Python instead of an installed lock."""

    def runtime(self) -> dict[str, str]:
        return {**self.env, "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}


def definition(**changes: Any) -> dict[str, Any]:
    """An entry of containerDefinitions, as the emulator shows it."""
    return {
        "name": "web",
        "image": "registry/repository:tag",
        "command": ["python", "-c", PROGRAM],
        "environment": [{"name": "DEAF", "value": ""}, {"name": "BOTH", "value": "definition"}],
        "portMappings": [{"containerPort": 8080, "protocol": "tcp"}],
        "healthCheck": {"command": ["CMD", "python", "-c", HEALTHY]},
        "stopTimeout": 1,
        **changes,
    }


@contextmanager
def running(folder: Path, told: Mapping[str, Any]) -> Iterator[Task]:
    cloud.make_folders()
    image = Here(folder, folder / "lock", ["false"], {"BOTH": "image", "IMAGE": "yes"})
    with ExitStack() as stack:
        # Another process may run a test of this file: each has a log of its own.
        patched = stack.enter_context(pytest.MonkeyPatch.context())
        patched.setattr("local.processes.LOGS", folder)
        task = Task("test-task", Container.from_json(told), image, {"AWS_REGION": "here"})
        stack.enter_context(task.process)
        yield task


def test_it_runs_with_the_definitions_command_and_environment_in_its_own_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "of the one who started it")
    with running(tmp_path, definition()) as task:
        task.wait()
        told = httpx2.get(f"http://127.0.0.1:{task.port}/", timeout=10).json()
    assert (told["BOTH"], told["IMAGE"], told["AWS_REGION"]) == ("definition", "yes", "here")
    assert told["cwd"] == str(tmp_path)
    assert "ANTHROPIC_API_KEY" not in told


def test_it_is_healthy_when_the_definitions_own_check_passes_and_not_before(tmp_path: Path) -> None:
    """The check names the container's port; here it is asked at the task's."""
    with running(tmp_path, definition()) as task:
        assert not task.healthy()
        task.wait()
        assert task.healthy()


def test_a_shells_check_is_asked_of_a_shell(tmp_path: Path) -> None:
    check = {"command": ["CMD-SHELL", 'test -n "$IMAGE" && exit 0 || exit 1']}
    with running(tmp_path, definition(healthCheck=check)) as task:
        assert task.healthy()


def test_one_that_ends_before_it_is_healthy_is_said_with_its_last_words(tmp_path: Path) -> None:
    command = ["python", "-c", "raise SystemExit('nothing to serve')"]
    with (
        running(tmp_path, definition(command=command)) as task,
        pytest.raises(SystemExit, match="web is not healthy:\nnothing to serve"),
    ):
        task.wait()


def test_it_is_told_to_end_before_it_is_made_to(tmp_path: Path) -> None:
    with running(tmp_path, definition(stopTimeout=60)) as task:
        task.wait()
        began = time.monotonic()
    assert time.monotonic() - began < 10
    assert task.process.ended == 7


def test_one_that_does_not_listen_is_killed_after_the_definitions_stop_timeout(
    tmp_path: Path,
) -> None:
    deaf = [{"name": "DEAF", "value": "yes"}]
    with running(tmp_path, definition(environment=deaf, stopTimeout=2)) as task:
        task.wait()
        began = time.monotonic()
    assert 2 <= time.monotonic() - began < 6
    assert task.process.ended


def test_a_secret_in_the_definition_is_refused() -> None:
    """ECS reads it once, at the start, and no rotation ever reaches the task."""
    with pytest.raises(SystemExit, match="secrets"):
        Container.from_json(definition(secrets=[{"name": "KEY", "valueFrom": "arn"}]))


def test_without_a_stop_timeout_it_is_fargates_own() -> None:
    told = definition()
    del told["stopTimeout"], told["healthCheck"]
    container = Container.from_json(told)
    assert (container.stop_timeout_s, container.health) == (30, [])
