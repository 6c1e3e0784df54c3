"""What the children run from: bundles of the same lock, with and without bytecode."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from stacks.config import host
from stacks.parts import assets

NAIVE = Path(__file__).with_name("naive") / "serverless.py"
OWN = ("claude_core", "lambda_src")


@dataclass(frozen=True, slots=True)
class Bundles:
    kit: Path
    """With bytecode."""
    naive: Path
    """Without, as `pip install --target` and most tools for bundles make it."""
    naive_compiled: Path


def build(out: Path) -> Bundles:
    """All bundles, under `out`."""
    bundles = Bundles(out / "kit", out / "naive", out / "naive-compiled")
    assets.bundle("lambda_src", host(), bundles.kit)
    _naive(bundles.kit, bundles.naive)
    _compile(bundles.kit)
    _naive(bundles.kit, bundles.naive_compiled)
    _compile(bundles.naive_compiled / NAIVE.name)
    return bundles


def _naive(kit: Path, out: Path) -> None:
    shutil.copytree(kit, out, ignore=lambda _, names: set(OWN) & set(names))
    shutil.copyfile(NAIVE, out / NAIVE.name)


def _compile(path: Path) -> None:
    """Bytecode that is not checked against its source: what a read-only file system needs."""
    command = (sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash")
    subprocess.run([*command, str(path)], check=True)
