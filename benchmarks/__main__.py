"""`make bench`: the kit's functions beside the naive ones, measured in one run on one machine."""

import argparse
import logging
import tempfile
from collections import defaultdict
from pathlib import Path

from rich.console import Console

from benchmarks import bundles
from benchmarks.keep_alive import kept_alive
from benchmarks.rounds import Rounds
from benchmarks.table import Samples, table
from local.fake_claude.inprocess import serve
from tests.doubles import AwsDouble

WIDTH = 110
"""Columns of the table; a pipe would get 80, and cut titles."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--runs", type=int, default=7, help="rounds; their medians are shown")
    parser.add_argument("--calls", type=int, default=200, help="warm calls in each round")
    parser.add_argument("--tokens", type=int, default=500, help="of each of 20 streams")
    options = parser.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # moto names every call
    samples: Samples = defaultdict(list)
    with (
        tempfile.TemporaryDirectory() as out,
        serve() as claude,
        AwsDouble() as aws,
        kept_alive(aws) as aws_url,
    ):
        rounds = Rounds.prepare(bundles.build(Path(out)), claude, aws, aws_url)
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
