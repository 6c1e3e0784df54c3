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
    found: dict[str, list[Figures]] = defaultdict(list)
    for _ in range(runs):
        for title, measure in WORKERS.items():
            found[title].append(measure())
    table = Table(title=f"Jobs of the queue, medians of {runs}, each round below")
    for title in ("", *COLUMNS):
        table.add_column(title, justify="right" if title else "left")
    for title, rounds in found.items():
        table.add_section()
        table.add_row(f"[bold]{title}[/]", *(show(medians(rounds)) for show in COLUMNS.values()))
        for figures in rounds:
            table.add_row("", *(f"[dim]{show(figures)}[/]" for show in COLUMNS.values()))
    console = Console()
    console.width = max(console.width, 120)
    console.print(table)


if __name__ == "__main__":
    main()
