"""What the children run from: bundles of the same locks, with and without bytecode."""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from stacks.config import host
from stacks.parts import assets
from stacks.parts.bytecode import compile_all

NAIVE = Path(__file__).with_name("naive")
OWN = {"claude_core", "lambda_src", "service_src"}


@dataclass(frozen=True, slots=True)
class Bundles:
    kit: Path
    """The buffered function, with bytecode, as it is deployed."""
    stream: Path
    """The streaming function, the same way."""
    naive: Path
    """Without bytecode, as `pip install --target` and most tools for bundles make it."""
    naive_compiled: Path
    naive_stream: Path
    """With bytecode: it is compared by what a token costs."""


def build(out: Path) -> Bundles:
    """All bundles, under `out`."""
    made = Bundles(*(out / name for name in ("kit", "stream", "naive", "compiled", "naive-stream")))
    assets.bundle("lambda_src", host(), made.kit, Path(sys.executable))
    assets.bundle("service_src", host(), made.stream, Path(sys.executable))
    _naive(made.kit, made.naive, {*OWN, "__pycache__"}, "serverless.py")
    _naive(made.kit, made.naive_compiled, OWN, "serverless.py")
    _naive(made.stream, made.naive_stream, OWN, "streaming.py")
    compile_all(made.naive_compiled, Path(sys.executable), ["serverless.py"])
    compile_all(made.naive_stream, Path(sys.executable), ["streaming.py"])
    return made


def _naive(kit: Path, out: Path, but: set[str], module: str) -> None:
    """The same libraries, and the naive module in place of what is ours."""
    shutil.copytree(kit, out, ignore=lambda _, names: but & set(names))
    shutil.copyfile(NAIVE / module, out / module)
