"""`python -m benchmarks.sdk_import`: ways to import the SDK, in turns, with CPU and memory."""

import argparse
import shutil
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from benchmarks.measure import child
from local.fake_claude.inprocess import serve
from stacks.config import host
from stacks.parts import assets
from stacks.parts.bytecode import compile_all
from tests.doubles import CLAUDE_KEY

KIT = "kit"
VARIANTS = {
    "plain": "import anthropic",
    "uncollected": "the same, with gc.disable(), gc.freeze()",
    "lazy_package": "LazyLoader for the package",
    "lazy_modules": "LazyLoader for each module of it",
    "without_init": "without the __init__ of the package",
    KIT: "claude_core/lazy.py",
}
"""By what `children/sdk_import.py` calls it: a title in the table."""
COLUMNS = {
    "imported_s": ("imported", "s CPU"),
    "imported_mb": ("peak", "MB"),
    "answered_s": ("to the first answer", "s CPU"),
    "answered_mb": ("peak", "MB"),
    "refused_s": ("first error", "s CPU more"),
}
WIDTH = 130
"""Columns of the table; a pipe would get 80, and cut titles."""
Samples = dict[str, list[dict[str, float]]]
"""By title of a way to import: what each round printed."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A function from its own bundle."""

    title: str
    module: str
    bytecode: bool = True

    def build(self, out: Path, core: Path | None = None) -> Path:
        """Make the bundle, with the `claude_core` of another checkout if one is given."""
        package, python = self.module.partition(".")[0], Path(sys.executable)
        assets.bundle(package, host(), out, python if self.bytecode else None)
        if core:
            shutil.rmtree(out / "claude_core")
            shutil.copytree(
                core / "claude_core",
                out / "claude_core",
                ignore=shutil.ignore_patterns("__pycache__"),
            )
            if self.bytecode:
                compile_all(out, python, ["claude_core"])
        return out


SCENES = {
    scene.title: scene
    for scene in (
        Scene("lambda_src.api", "lambda_src.api"),
        Scene("service_src.app", "service_src.app"),
        Scene("lambda_src.api without bytecode", "lambda_src.api", bytecode=False),
    )
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sdk_import", description=__doc__)
    parser.add_argument("--runs", type=int, default=9, help="rounds; their medians are shown")
    parser.add_argument("--scene", choices=SCENES, help="only this one")
    parser.add_argument("--beside", type=Path, help="another checkout, to measure its claude_core")
    options = parser.parse_args()
    console = Console()
    console.width = max(console.width, WIDTH)
    for scene in [SCENES[options.scene]] if options.scene else SCENES.values():
        found = measure(scene, options.runs, options.beside)
        console.print(table(scene.title, found, options.runs))


def measure(scene: Scene, runs: int, other: Path | None) -> Samples:
    """Each way once, and so on for `runs` rounds, each in a process of its own."""
    samples: Samples = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder, serve() as claude:
        bundle = scene.build(Path(folder, "bundle"))
        ways = {title: (bundle, variant) for variant, title in VARIANTS.items()}
        if other:
            ways[f"{other}/claude_core/lazy.py"] = (
                scene.build(Path(folder, "other"), other),
                KIT,
            )
        for _ in range(runs):
            for title, (path, variant) in ways.items():
                arguments = (str(path), scene.module, variant, claude.url, CLAUDE_KEY)
                samples[title].append(child("sdk_import.py", *arguments, env={}).said)
    return samples


def table(title: str, samples: Samples, runs: int) -> Table:
    """Medians, each with its ratio to the best one of its column."""
    made = Table(title=f"{title}, medians of {runs} (times the best)")
    made.add_column()
    for name, unit in COLUMNS.values():
        made.add_column(f"{name}\n{unit}", justify="right")
    medians = {
        way: {column: median(one[column] for one in found) for column in COLUMNS}
        for way, found in samples.items()
    }
    best = {column: min(row[column] for row in medians.values()) for column in COLUMNS}
    for way, row in medians.items():
        made.add_row(way, *(f"{row[name]:.3g} ({row[name] / best[name]:.2f})" for name in COLUMNS))
    return made


if __name__ == "__main__":
    main()
