"""Whatever the local cloud starts ends with it, also when it is killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from local.paths import ROOT

# A program with a child of its own, both deaf to SIGTERM: the worst that a guard can meet.
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
child = subprocess.Popen([sys.executable, "-c", code])
print(child.pid, flush=True)
time.sleep(600)
"""
# Somebody who starts a guard, says so, and waits to be killed.
STARTER = f"""
import subprocess, sys, time
guard = subprocess.Popen(
    [sys.executable, "-m", "local.guard", sys.executable, "-c", {STUBBORN!r}],
    stdin=subprocess.PIPE, start_new_session=True,
)
time.sleep(600)
"""


def ended(pid: int) -> bool:
    """Gone, or a zombie that nobody has waited for yet."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return True
    return state == "Z"


def test_a_killed_starter_leaves_nothing_behind() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STARTER], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as starter:
        assert starter.stdout
        grandchild = int(starter.stdout.readline())
        assert not ended(grandchild)
        os.kill(starter.pid, signal.SIGKILL)
        # The pipe closes when the last process that holds it is gone: that is the wait.
        assert starter.stdout.read() == ""
    assert ended(grandchild)


def test_a_program_that_ends_by_itself_ends_its_guard_with_its_own_code() -> None:
    command = [sys.executable, "-m", "local.guard", sys.executable, "-c", "raise SystemExit(7)"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE) as guard:
        assert guard.wait(30) == 7
