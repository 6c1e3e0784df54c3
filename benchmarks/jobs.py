"""`make bench-queue`: what a job of the queue takes, each worker on one core, Claude taking 1 s."""

import argparse
from collections import defaultdict
from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from benchmarks import celeries
from benchmarks.worker import Figures, medians

WORKERS: dict[str, Callable[[], Figures]] = {
    "naive Celery": celeries.naive,
    "tuned Celery, threads": celeries.threads,
    "tuned Celery, gevent": celeries.gevent,
}
COLUMNS: dict[str, Callable[[Figures], str]] = {
    "jobs/s, one core": lambda one: f"{one.jobs_per_s:,.0f}",
    "CPU of a job": lambda one: f"{one.cpu_ms_per_job:.2f} ms",
    "jobs/s per core of CPU": lambda one: f"{one.jobs_per_s_per_core:,.0f}",
    "jobs/s per GB": lambda one: f"{one.jobs_per_s_per_gb:,.0f}",
    "memory (PSS)": lambda one: f"{one.memory_mb:,.0f} MB",
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.jobs", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="rounds; their medians are shown")
    runs = parser.parse_args().runs
    console = Console()
    console.width = max(console.width, 120)
    found: dict[str, list[Figures]] = defaultdict(list)
    for number in range(1, runs + 1):
        for title, measure in WORKERS.items():
            found[title].append(measure())
            said = ", ".join(f"{name} {show(found[title][-1])}" for name, show in COLUMNS.items())
            console.print(f"[dim]round {number}, {title}: {said}[/]")
    table = Table(title=f"Jobs of the queue, medians of {runs}")
    for name in ("", *COLUMNS):
        table.add_column(name, justify="right" if name else "left")
    for title, rounds in found.items():
        table.add_row(title, *(show(medians(rounds)) for show in COLUMNS.values()))
    console.print(table)


if __name__ == "__main__":
    main()
