"""What builds and runs images on this machine: Docker if its engine answers, else buildah."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stacks.parts.task import LIVES
from tests.image.base import made, run, secrets

ROOT = Path(__file__).parents[2]
NEEDS = "image-test needs a Docker engine that answers, or buildah and mmdebstrap as root on Linux"
LOCKED_DOWN = ("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")


@dataclass
class Running:
    """A container's process."""

    process: subprocess.Popen[str]
    port: int
    name: str | None
    """Docker's; without it there is no network of its own."""

    def lives(self) -> bool:
        """Whether the task definition's own health check passes."""
        command, env = [sys.executable, "-c", LIVES], {**os.environ, "AWS_LWA_PORT": str(self.port)}
        if self.name:
            command = ["docker", "exec", self.name, "python", "-c", LIVES]
        return subprocess.run(command, env=env, capture_output=True, check=False).returncode == 0

    def terminate(self, within_s: float) -> int:
        """SIGTERM to the program itself; its exit code.

        Raises:
            subprocess.TimeoutExpired: it had not ended by then.
        """
        if not self.name:  # buildah itself would pass on a SIGKILL
            os.kill(_innermost(self.process.pid), signal.SIGTERM)
        else:
            self.process.terminate()
        return self.process.wait(within_s)


@dataclass
class Engine:
    """One of the two programs; what it has made is removed by `clean`."""

    program: str
    folder: Path
    base: str | None
    _made: list[str] = field(default_factory=list)

    @classmethod
    def found(cls, folder: Path, base: str | None) -> "Engine | None":
        """The one that works here, if any does."""
        if shutil.which("docker") and _works("docker", "info"):
            return cls("docker", folder, base)
        if shutil.which("buildah") and os.geteuid() == 0 and (base or shutil.which("mmdebstrap")):
            return cls("buildah", folder, base or made(folder))
        return None

    def build(self, dockerfile: str, tag: str, *options: str) -> None:
        told = [*secrets(self.folder), *options, "-f", dockerfile, "-t", tag, str(ROOT)]
        if self.base:
            told = ["--build-arg", f"BASE={self.base}", *told]
        if self.program == "docker":
            run("docker", "build", "--quiet", *told)
        else:
            never = ("--format", "docker", "--isolation", "chroot", "--pull-never")
            run("buildah", "bud", *never, *told)
        self._made.append(tag)

    def config(self, tag: str) -> dict[str, Any]:
        """User, Cmd, Env and so on, as the image holds them."""
        if self.program == "docker":
            found: dict[str, Any] = json.loads(run("docker", "image", "inspect", tag))[0]["Config"]
            return found
        inspected = json.loads(run("buildah", "inspect", "--type", "image", tag))
        config: dict[str, Any] = inspected["Docker"]["config"]
        return config

    def unpacked(self, tag: str) -> Path:
        """A folder that holds the image's files."""
        out = self.folder / f"{tag}-files"
        out.mkdir()
        archive = self.folder / f"{tag}.tar"
        container = self._container(tag)
        if self.program == "docker":
            run("docker", "export", "--output", str(archive), container)
        else:
            mounted = run("buildah", "mount", container).strip()
            run("tar", "--create", "--file", str(archive), "--directory", mounted, ".")
        with tarfile.open(archive) as packed:
            packed.extractall(out, filter="tar")
        return out

    @contextmanager
    def running(self, tag: str, port: int, env: Mapping[str, str]) -> Iterator[Running]:
        """The image as Fargate would start it, its port 8080 on loopback's `port`."""
        told = [part for name, value in env.items() for part in ("--env", f"{name}={value}")]
        if self.program == "docker":
            name = f"kit-image-test-{port}"
            begin = ["docker", "run", "--rm", "--name", name, *LOCKED_DOWN]
            command = [*begin, "--publish", f"127.0.0.1:{port}:8080", *told, tag]
        else:  # no network of its own: the port is told
            name = None
            told += ["--env", f"AWS_LWA_PORT={port}"]
            begin = ["buildah", "run", "--isolation", "chroot", "--cap-drop", "ALL", *told]
            command = [*begin, self._container(tag), "--", *self.config(tag)["Cmd"]]
        with subprocess.Popen(command, text=True) as process:
            try:
                yield Running(process, port, name)
            finally:
                if process.poll() is None:
                    process.terminate()

    def clean(self) -> None:
        for container in [one for one in self._made if one.startswith("container:")]:
            run(self.program, "rm", container.removeprefix("container:"))
        for tag in [one for one in self._made if not one.startswith("container:")]:
            run(self.program, "rmi", tag)

    def _container(self, tag: str) -> str:
        create = ("create",) if self.program == "docker" else ("from", "--pull-never")
        name = run(self.program, *create, tag).strip()
        self._made.append(f"container:{name}")
        return name


def _works(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _innermost(pid: int) -> int:
    """The last of a chain of children; a program in Go has them of any of its threads."""
    threads = Path(f"/proc/{pid}/task").glob("*/children")
    below = [int(child) for thread in threads for child in thread.read_text().split()]
    return _innermost(below[0]) if below else pid
