"""`make bench`: the kit's functions beside the naive ones, measured in one run on one machine."""

import argparse
import tempfile
from collections import defaultdict
from pathlib import Path

from rich.console import Console

from benchmarks import bundles
from benchmarks.beside import answers, helper
from benchmarks.rounds import Rounds
from benchmarks.table import Samples, table
from claude_core.clients import new_key
from local.fake_claude.inprocess import serve
from local.processes import free_port

WIDTH = 110
"""Columns of the table; a pipe would get 80, and cut titles."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--runs", type=int, default=7, help="rounds; their medians are shown")
    parser.add_argument("--calls", type=int, default=200, help="warm calls in each round")
    parser.add_argument("--tokens", type=int, default=500, help="of each of 20 streams")
    options = parser.parse_args()
    samples: Samples = defaultdict(list)
    key, port = new_key(), free_port()
    with (
        tempfile.TemporaryDirectory() as out,
        serve() as claude,
        helper("benchmarks.aws", str(port), key),
    ):
        aws_url = f"http://127.0.0.1:{port}"
        answers(aws_url)
        rounds = Rounds.prepare(bundles.build(Path(out)), claude, aws_url, key)
        for _ in range(options.runs):
            figures = rounds.cold() | rounds.warm(options.calls + 1)
            figures |= rounds.streaming(options.tokens)
            for key, value in figures.items():
                samples[key].append(value)
    console = Console()
    console.width = max(console.width, WIDTH)
    console.print(table(samples, options.runs))


if __name__ == "__main__":
    main()
