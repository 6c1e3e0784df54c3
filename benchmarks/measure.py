"""Fresh processes, and the CPU that they took."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHILDREN = Path(__file__).with_name("children")


@dataclass(frozen=True, slots=True)
class Took:
    """One child."""

    cpu_s: float
    """User and system time of the whole process, the interpreter's own start included."""
    said: dict[str, Any]
    """What it measured itself."""


def child(script: str, *args: str, env: dict[str, str]) -> Took:
    """Run `children/SCRIPT` with the standard library alone on its path (`-I -S`).

    Raises:
        RuntimeError: it failed; its own words say why.
    """
    # -B: a first run would leave bytecode behind for the second (-I ignores the variable for it).
    command = [sys.executable, "-I", "-S", "-B", str(CHILDREN / script), *args]
    process = subprocess.Popen(
        command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    if process.returncode:
        raise RuntimeError(f"{script} {args[:2]} failed: {said.strip()}")
    (last,) = [line for line in said.splitlines() if line.startswith("{")]
    return Took(usage.ru_utime + usage.ru_stime, json.loads(last))
