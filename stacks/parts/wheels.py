"""The locked libraries of a bundle: installed and compiled once, then linked into each bundle."""

import hashlib
import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from uv import find_uv_bin

from stacks.config import Target
from stacks.parts import bytecode

KEPT = Path(__file__).parents[2] / ".local" / "wheels"
LEFT_OUT = (
    *("**/__pycache__", "**/tests", "bin", "*.dist-info/RECORD", ".lock"),
    *("**/*.pyi", "**/*.pyx", "**/*.pxd", "**/*.pxi", "**/*.c", "**/*.h"),
)
"""Parts of wheels that no handler reads."""
MAKERS = (Path(__file__), Path(bytecode.__file__))
"""What decides, beside the lock, how a folder of libraries looks."""


def put(lock: Path, target: Target, out: Path, python: Path | None = None) -> None:
    """Put the libraries of `lock` into `out`, with bytecode if there is the target's `python`.

    Raises:
        RuntimeError: uv could not install the lock; its own words say why.
    """
    try:
        made = _kept(lock, target, python)
    except OSError:  # a checkout that nobody may write to
        _make(lock, target, python, out)
    else:
        shutil.copytree(made, out, copy_function=_link, dirs_exist_ok=True)


def _kept(lock: Path, target: Target, python: Path | None) -> Path:
    """The folder of the libraries, from before if nothing has changed."""
    kind = "compiled" if python else "plain"
    name = f"{lock.parent.name}-{lock.stem}-{target.python}-{target.platform}-{kind}"
    digest = hashlib.sha256(b"\0".join(path.read_bytes() for path in (lock, *MAKERS)))
    made = KEPT / name / digest.hexdigest()[:16]
    if made.exists():
        return made
    made.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=KEPT) as scratch:
        _make(lock, target, python, Path(scratch, name))
        with suppress(OSError):  # another process was faster, with the very same
            Path(scratch, name).rename(made)
        for old in {*made.parent.iterdir()} - {made}:
            with suppress(OSError):  # all at once: half of a folder would be taken for the whole
                old.rename(Path(scratch, old.name))
    return made


def _make(lock: Path, target: Target, python: Path | None, out: Path) -> None:
    command = [
        *(find_uv_bin(), "pip", "install", "--quiet", "--no-deps", "--require-hashes"),
        *("--only-binary", ":all:", "--link-mode", "copy", "--target", str(out)),
        *("--python-version", target.python, "--python-platform", target.platform),
        *("--requirement", str(lock)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"uv could not install {lock}: {done.stderr.strip()}")
    for pattern in LEFT_OUT:
        for path in list(out.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    if python:
        bytecode.compile_all(out, python)


def _link(source: str, copy: str) -> None:
    """The same file by another name; a copy where the bundle is on another disk."""
    try:
        os.link(source, copy)
    except OSError:
        shutil.copy2(source, copy)
