"""One ECS service, kept as ECS keeps it: so many healthy tasks, replaced when they end."""

import json
import threading
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Self

from local import cloud, deployed
from local.deployed import Service
from local.images import find
from local.paths import STATE
from local.processes import Guarded
from local.task import Task

LOOK_S, AGAIN_S, KNOWN_S = 1.0, 5.0, 2.0
"""Seconds between two looks at the tasks, before one that did not come up is tried again, and by
which the balancer sends nothing to a task that is no longer written down."""


class Keeper:
    """Runs the tasks of one service, and writes down where they listen."""

    def __init__(
        self,
        service: Service,
        *,
        endpoint: str,
        assembly: Path,
        say: Callable[[str], None] = print,
    ) -> None:
        """Nothing runs before it is entered.

        Args:
            say: is told when a task had to be replaced.
        """
        self._service, self._endpoint, self._assembly = service, endpoint, assembly
        self._say, self._stop, self._numbers = say, threading.Event(), count(1)
        self._tasks: list[Task] = []
        self._leaving: list[Guarded] = []
        self._name = service.arn.rsplit("/", 1)[-1]
        self._thread = threading.Thread(target=self._keep, daemon=True)
        self._registered: int | None = None
        self._ecs = cloud.client("ecs", endpoint)

    def __enter__(self) -> Self:
        """Until every task is healthy.

        Raises:
            SystemExit: one is not; those that are have been stopped.
        """
        try:
            for _ in range(self._service.desired):
                self._tasks.append(self._started())
        except BaseException:
            self._end()
            raise
        self._register()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """End every task, and replace none any more; what has ended stays ended."""
        self._stop.set()
        self._thread.join()
        self._end()

    @property
    def targets(self) -> Path:
        """The file that holds the ports of the tasks: what the balancer reads."""
        return targets(self._service.target_group or self._name)

    def _keep(self) -> None:
        while not self._stop.wait(LOOK_S):
            try:
                self._look()
            except (SystemExit, Exception) as err:  # ECS would try again too, for ever
                self._say(f"{self._name}: {err}")
                self._stop.wait(AGAIN_S)

    def _look(self) -> None:
        """Replace what has ended; have as many as are wanted; bring up a new deployment before the
        old one goes."""
        found = deployed.described(self._ecs, self._service.arn)
        if deployed.rollout(found) != self._service.rollout:
            self._service, old = self._deployed(), self._tasks
            self._tasks = [self._started() for _ in range(self._service.desired)]
            self._leave(old)
            self._say(f"{self._name}: deployed anew")
        elif found["desiredCount"] != len(self._tasks):
            self._scale(found["desiredCount"])
        for place, task in enumerate(self._tasks):
            if (code := task.process.ended) is not None:
                task.process.tell_to_end()
                self._say(f"{self._name}: a task ended with {code} and is replaced")
                self._tasks[place] = self._started()
                self._register()
        self._leaving = [one for one in self._leaving if one.ended is None]

    def _deployed(self) -> Service:
        return deployed.service(self._endpoint, self._service.stack, self._service.arn)

    def _scale(self, wanted: int) -> None:
        while len(self._tasks) < wanted:
            self._tasks.append(self._started())
        self._tasks, gone = self._tasks[:wanted], self._tasks[wanted:]
        self._leave(gone)
        self._say(f"{self._name}: scaled to {wanted}")

    def _leave(self, tasks: list[Task]) -> None:
        """Write down those that stay; the others end when nothing is sent to them any more."""
        self._register()
        if not tasks:
            return
        if self._service.target_group:
            self._stop.wait(KNOWN_S)
        for task in tasks:
            task.process.tell_to_end()
            self._leaving.append(task.process)

    def _started(self) -> Task:
        """A new task that is healthy."""
        container = self._service.container
        image = find(self._assembly, container.image)
        name = f"{self._name}-{next(self._numbers)}"
        task = Task(name, container, image, cloud.credentials(self._endpoint))
        try:
            task.wait()
        except BaseException:
            task.process.__exit__()
            raise
        return task

    def _register(self) -> None:
        ports = [task.port for task in self._tasks]
        written = self.targets.with_suffix(".new")
        written.write_text(json.dumps(ports))
        written.replace(self.targets)  # whole, whenever it is read
        if ports and (group := self._service.target_group):
            deployed.register(self._endpoint, group, ports[-1], old=self._registered)
            self._registered = ports[-1]

    def _end(self) -> None:
        """All at once: each may take its stopTimeout."""
        ending = [*(task.process for task in self._tasks), *self._leaving]
        for process in ending:
            process.tell_to_end()
        for process in ending:
            process.__exit__()


def targets(group: str) -> Path:
    """Where the ports of a target group's tasks are written."""
    return STATE / f"targets-{group.rsplit('/', 1)[-1]}.json"
