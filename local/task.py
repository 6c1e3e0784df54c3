"""One container of a task, run as its deployed definition says."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic, sleep
from typing import Any

from local.images import Image
from local.paths import clean_env
from local.processes import Guarded, free_port, tail

STOP_TIMEOUT_S = 30.0
"""Fargate's own, where a definition names none."""
HEALTHY_S = 60.0
"""From the start to the first health check that passes; it is asked all the time till then."""


@dataclass(frozen=True, slots=True)
class Container:
    """What a task definition says of one container."""

    name: str
    image: str
    command: list[str]
    """Empty where the image's own is meant."""
    env: dict[str, str]
    port: int | None
    health: list[str]
    """A program and its arguments; empty where nothing is checked."""
    stop_timeout_s: float

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> "Container":
        """Read one entry of `containerDefinitions`.

        Raises:
            SystemExit: it wants what cannot be had here.
        """
        if told.get("secrets"):
            raise SystemExit(f"{told['name']}: secrets in a task definition are read but once")
        ports = [mapping["containerPort"] for mapping in told.get("portMappings", [])]
        return cls(
            name=told["name"],
            image=told["image"],
            command=[*told.get("entryPoint", []), *told.get("command", [])],
            env={pair["name"]: pair["value"] for pair in told.get("environment", [])},
            port=ports[0] if ports else None,
            health=_program(told.get("healthCheck", {}).get("command", [])),
            stop_timeout_s=float(told.get("stopTimeout", STOP_TIMEOUT_S)),
        )


class Task:
    """A running container. It has this machine's network, so its port is another, which it is told
    as the Lambda Web Adapter tells it: AWS_LWA_PORT."""

    def __init__(
        self, name: str, container: Container, image: Image, cloud: Mapping[str, str]
    ) -> None:
        """Start it.

        Args:
            cloud: what ECS, and a role's credentials, would give it.
        """
        self.port = free_port()
        self._container, self._image = container, image
        told = {**cloud, **image.runtime(), **container.env}
        self._env = {**clean_env(), **told, "AWS_LWA_PORT": str(self.port)}
        self.process = Guarded(
            name,
            container.command or image.command,
            self._env,
            cwd=image.folder,
            grace_s=container.stop_timeout_s,
        )

    def wait(self) -> None:
        """Until the definition's health check passes.

        Raises:
            SystemExit: the task ended, or was not healthy in time; shows the end of its log.
        """
        end = monotonic() + HEALTHY_S
        while not self.healthy():
            if self.process.ended is not None or monotonic() > end:
                raise SystemExit(
                    f"{self._container.name} is not healthy:\n{tail(self.process.log)}"
                )
            sleep(0.1)

    def healthy(self) -> bool:
        if not self._container.health:
            return True
        asked = subprocess.run(
            [self._local(part) for part in self._container.health],
            env=self._env,
            cwd=self._image.folder,
            capture_output=True,
            check=False,
            timeout=HEALTHY_S,
        )
        return asked.returncode == 0

    def _local(self, part: str) -> str:
        """The container's port is this task's own one here."""
        return part.replace(f":{self._container.port}/", f":{self.port}/")


def _program(command: list[str]) -> list[str]:
    match command:
        case ["CMD", *program]:
            return program
        case ["CMD-SHELL", line]:
            return ["/bin/sh", "-c", line]
    return []
