"""Real worker processes: killed with SIGKILL again and again, and replaced as ECS would."""

import random
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from local.paths import ROOT, clean_env
from local.processes import free_port

EVERY_S = 2.0
LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class Worker:
    """One process."""

    process: subprocess.Popen[bytes]
    asked: Path
    """There once it has asked Claude: one that is killed before is no loss, and on a busy machine,
    where it starts for longer than others live, all would be."""


class Crew:
    """So many workers, for as long as it is entered."""

    def __init__(self, env: Mapping[str, str], *, workers: int, seed: int, log: Path) -> None:
        self._env = {**clean_env(), **env}
        self._rand, self._log = random.Random(seed), log
        self._stop, self._quiet = threading.Event(), threading.Event()
        self._marks = tempfile.TemporaryDirectory()
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
            worker.process.send_signal(signal.SIGTERM)
        for worker in self._workers:
            try:
                worker.process.wait(30)
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait()
        self._marks.cleanup()

    def spare(self) -> None:
        """Kill no more."""
        self._quiet.set()

    def _meddle(self) -> None:
        waited = 0.0
        while not self._stop.wait(LOOK_S):
            waited += LOOK_S
            for at, worker in enumerate(self._workers):
                if (code := worker.process.poll()) is not None:
                    self.crashes += code != -signal.SIGKILL
                    self._workers[at] = self._start()
            at_work = [worker for worker in self._workers if worker.asked.exists()]
            if waited >= EVERY_S and at_work and not self._quiet.is_set():
                waited = 0.0
                self._rand.choice(at_work).process.kill()
                self.kills += 1

    def _start(self) -> Worker:
        asked = Path(self._marks.name, secrets.token_hex(8))
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.rig.worker", str(asked)],
                env=self._env | {"AWS_LWA_PORT": str(free_port())},
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return Worker(process, asked)
