"""Long-running programs of the local cloud: started under a guard, waited for, always ended."""

import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

import httpx2

from local.guard import GRACE_S
from local.paths import LOGS, ROOT

READY_S = 90.0
STOP_S = 5.0
GUARD = ROOT / "local" / "guard.py"


class Guarded:
    """One program and its whole process group; ends with us, however we end."""

    def __init__(
        self,
        name: str,
        command: list[str],
        env: dict[str, str],
        *,
        cwd: Path = ROOT,
        grace_s: float = GRACE_S,
    ) -> None:
        """Start it; its words go to a log of its name.

        Args:
            grace_s: seconds from SIGTERM to SIGKILL when it is to end.
        """
        self._name, self.log, self._grace_s = name, LOGS / f"{name}.log", grace_s
        self.log.parent.mkdir(parents=True, exist_ok=True)
        guard = [sys.executable, "-P", str(GUARD), "--grace", f"{grace_s:g}"]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [*guard, *command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=env,
                cwd=cwd,
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.tell_to_end()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(self._grace_s + STOP_S)
        self._process.kill()
        self._process.wait()

    def tell_to_end(self) -> None:
        """SIGTERM now, SIGKILL when its grace is over; does not wait for either."""
        if self._process.stdin:
            self._process.stdin.close()

    @property
    def pid(self) -> int:
        """Of the guard; the program is its child."""
        return self._process.pid

    @property
    def ended(self) -> int | None:
        """Its exit code, if it has ended."""
        return self._process.poll()

    def wait_for(self, url: str) -> None:
        """Until `url` answers.

        Raises:
            SystemExit: the program ended, or did not answer in time; shows the end of its log.
        """
        end = time.monotonic() + READY_S
        while time.monotonic() < end:
            if self._process.poll() is not None:
                raise SystemExit(f"{self._name} ended at once:\n{tail(self.log)}")
            with suppress(httpx2.HTTPError):
                httpx2.get(url, timeout=1.0)
                return
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(0.05)
        raise SystemExit(f"{self._name} did not answer in {READY_S:g} s:\n{tail(self.log)}")


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run(name: str, command: list[str], env: dict[str, str], timeout_s: float = 300) -> None:
    """Run a program to its end, its words in a log.

    Raises:
        SystemExit: it failed; shows the end of its log.
    """
    log = LOGS / f"{name}.log"
    with log.open("wb") as out:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=env,
            cwd=ROOT,
            timeout=timeout_s,
            check=False,
        )
    if done.returncode:
        raise SystemExit(f"{name} failed; the end of {log.relative_to(ROOT)}:\n{tail(log)}")


def tail(log: Path, lines: int = 25) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
