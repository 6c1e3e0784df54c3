"""The figures for a reader: median, ratio to the naive function, target, reached or not."""

from statistics import median

from rich.table import Table

from benchmarks.rows import ROWS, Row

Samples = dict[str, list[float]]


def table(samples: Samples, runs: int) -> Table:
    made = Table(title=f"The kit beside the naive function, medians of {runs}")
    for title in ("", "median", "from-to", "x naive", "target", ""):
        made.add_column(title, justify="left" if not title else "right")
    for section, rows in ROWS.items():
        made.add_section()
        made.add_row(f"[bold]{section}[/bold]")
        for row in rows:
            made.add_row(f"  {row.title}", *cells(row, samples))
    return made


def cells(row: Row, samples: Samples) -> tuple[str, str, str, str, str]:
    """Everything behind a row's title."""
    target = ""
    if row.at_most is not None:
        target = f"{row.at_most:.2f}x"
    elif row.at_most_value is not None:
        target = f"{row.at_most_value:.0f} {row.unit.split()[0]}"
    found = samples[row.key]
    value = median(found)
    ratio = value / median(samples[row.naive])
    spread = f"{min(found):.3g}-{max(found):.3g}"
    return f"{value:.3g} {row.unit}", spread, f"{ratio:.2f}", target, verdict(row, value, ratio)


def verdict(row: Row, value: float, ratio: float) -> str:
    if row.at_most is None and row.at_most_value is None:
        return ""
    reached = ratio <= row.at_most if row.at_most is not None else value <= (row.at_most_value or 0)
    return "[green]reached[/green]" if reached else "[red]not reached[/red]"
