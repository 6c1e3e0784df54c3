"""Real worker processes: killed with SIGKILL again and again, and replaced as ECS would."""

import random
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from local.paths import ROOT, clean_env
from local.processes import free_port

EVERY_S = 2.0
LOOK_S = 0.1


class Crew:
    """So many workers, for as long as it is entered."""

    def __init__(self, env: Mapping[str, str], *, workers: int, seed: int, log: Path) -> None:
        self._env = {**clean_env(), **env}
        self._rand, self._log = random.Random(seed), log
        self._stop, self._quiet = threading.Event(), threading.Event()
        self._workers = [self._start() for _ in range(workers)]
        self._thread = threading.Thread(target=self._meddle)
        self.kills = self.crashes = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        for worker in self._workers:
            worker.send_signal(signal.SIGTERM)
        for worker in self._workers:
            try:
                worker.wait(30)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()

    def spare(self) -> None:
        """Kill no more."""
        self._quiet.set()

    def _meddle(self) -> None:
        waited = 0.0
        while not self._stop.wait(LOOK_S):
            waited += LOOK_S
            for at, worker in enumerate(self._workers):
                if worker.poll() is not None:
                    self.crashes += worker.returncode != -signal.SIGKILL
                    self._workers[at] = self._start()
            if waited >= EVERY_S and not self._quiet.is_set():
                waited = 0.0
                self._rand.choice(self._workers).kill()
                self.kills += 1

    def _start(self) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "tests.rig.worker"],
                env=self._env | {"AWS_LWA_PORT": str(free_port())},
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
