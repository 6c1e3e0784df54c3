"""Bytecode in the bundle, compiled by the target's own Python: no cold start compiles again."""

import os
import subprocess
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from uv import find_uv_bin

FETCH_TIMEOUT_S = 120
WHERE_IT_RUNS = "/var/task"
"""Where Lambda puts a bundle; tracebacks name files there."""


@cache
def target_python(version: str) -> Path | None:
    """An interpreter of `version`, such as 3.13: the one that TARGET_PYTHON names, this one, or
    one that uv finds or fetches; None where there is none.

    Raises:
        SystemExit: TARGET_PYTHON is not of that version.
    """
    if named := os.environ.get("TARGET_PYTHON"):
        if not _is(Path(named), version):
            raise SystemExit(f"TARGET_PYTHON={named}: not a Python {version}")
        return Path(named)
    if _is(Path(sys.executable), version):
        return Path(sys.executable)
    if found := _uv("python", "find", "--no-project", version):
        return Path(found)
    _uv("python", "install", "--quiet", version)
    found = _uv("python", "find", "--no-project", version)
    return Path(found) if found else None


def compile_all(folder: Path, python: Path, names: Iterable[str] = (".",)) -> None:
    """Compile every module of `folder`, or of those in it that have `names`; valid whatever time
    its source is unpacked at.

    Raises:
        subprocess.CalledProcessError: a module is not valid Python.
    """
    unchecked = ("--invalidation-mode", "unchecked-hash")
    paths = ("-s", str(folder), "-p", WHERE_IT_RUNS)
    command = [str(python), "-I", "-m", "compileall", "-q", "-j", "0", *unchecked, *paths]
    subprocess.run([*command, *(str(folder / name) for name in names)], check=True)


def _is(python: Path, version: str) -> bool:
    say = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run(
            [str(python), "-I", "-c", say], capture_output=True, text=True, check=False, timeout=20
        )
    except OSError:
        return False
    return done.stdout.strip() == version


def _uv(*arguments: str) -> str:
    """What uv prints; nothing where it fails or takes too long."""
    # A shim of pyenv is not an interpreter, and uv stops at the first that does not answer.
    shims = os.sep + "shims"
    folders = [one for one in os.environ.get("PATH", "").split(os.pathsep) if shims not in one]
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    folders += [str(one) for one in sorted(pyenv.glob("versions/*/bin"))]
    env = {**os.environ, "PATH": os.pathsep.join(folders)}
    try:
        done = subprocess.run(
            [find_uv_bin(), *arguments],
            env=env,
            capture_output=True,
            text=True,
            check=False,
            timeout=FETCH_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
