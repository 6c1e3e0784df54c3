"""Run a command in a process group of its own, and end the group when our standard input closes.

Whoever started us holds the other end of that pipe: however it dies, even by SIGKILL, nothing
that it started is left behind.
"""

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress

GRACE_S = 5.0


def main(command: list[str]) -> int:
    """Run `command` to its end, or to ours; its exit code.

    `--grace SECONDS` before it: so long after SIGTERM comes SIGKILL.
    """
    grace_s = GRACE_S
    if command[0] == "--grace":
        grace_s, command = float(command[1]), command[2:]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches our starter, who closes the pipe
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)

    def stop_when_closed() -> None:
        while os.read(0, 4_096):  # not sys.stdin: its lock would break our own exit
            pass
        _end(child, grace_s)

    signal.signal(signal.SIGTERM, lambda *_: _end(child, grace_s))
    threading.Thread(target=stop_when_closed, daemon=True).start()
    try:
        return child.wait()
    finally:
        _kill(child.pid, signal.SIGKILL)  # whatever the child itself left in its group


def _end(child: subprocess.Popen[bytes], grace_s: float) -> None:
    _kill(child.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        child.wait(grace_s)
    _kill(child.pid, signal.SIGKILL)


def _kill(group: int, sign: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, sign)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
