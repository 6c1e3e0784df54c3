"""`python -m local up [--detach]`, `python -m local stop`: what `make local` runs."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

from local import up as local_up
from local.cloud import make_folders
from local.paths import LOGS, OUTPUTS, PID, ROOT
from local.processes import tail

DETACHED_READY_S = 300.0
STOPPED_S = 150.0
"""A task may take its stopTimeout of 120 s to end its streams."""


def start(*, detach: bool) -> None:
    if pid := local_up.running():
        raise SystemExit(f"a local cloud is up already (process {pid}); stop it: make local-stop")
    if not detach:
        return local_up.up()
    make_folders()
    OUTPUTS.unlink(missing_ok=True)
    log = LOGS / "up.log"
    with log.open("wb") as out:
        child = subprocess.Popen(
            [sys.executable, "-m", "local", "up"],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            start_new_session=True,
        )
    shown, end = 0, time.monotonic() + DETACHED_READY_S
    while time.monotonic() < end:
        text = log.read_text(errors="replace")
        sys.stdout.write(text[shown:])
        sys.stdout.flush()
        shown = len(text)
        if "make local-stop" in text:
            return None
        with suppress(subprocess.TimeoutExpired):
            child.wait(0.2)
            raise SystemExit(f"the local cloud did not come up:\n{tail(log)}")
    child.terminate()
    raise SystemExit(f"the local cloud was not ready in {DETACHED_READY_S:g} s:\n{tail(log)}")


def stop() -> None:
    pid = local_up.running()
    if pid is None:
        print("no local cloud is up")
        return
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + STOPPED_S
    while PID.exists() and local_up.running():
        if time.monotonic() > end:
            raise SystemExit(f"process {pid} has not ended in {STOPPED_S:g} s")
        time.sleep(0.1)
    print("stopped")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["up"]:
            start(detach=False)
        case ["up", "--detach"]:
            start(detach=True)
        case ["stop"]:
            stop()
        case _:
            raise SystemExit("usage: python -m local up [--detach] | stop")
