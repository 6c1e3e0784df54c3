"""A report's tables for the terminal."""

from collections.abc import Iterable

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from kit.router.figures import NO_VERDICT, Share
from kit.router.outcome import Outcome
from kit.router.report import Report
from kit.router.sweep import Step
from kit.router.timing import TOGETHER, Latency

NONE = "·"
LEFT = "label", "model", "tag", "question", "text", "took", "models"
MS = "p50 ms", "p95 ms"
BAR = 24
"""Characters of a whole bar."""
MUCH = 0.1
"""Of a label's questions on one wrong route: it stands out."""


def percent(value: float | None) -> str:
    return NONE if value is None else f"{value:.1%}".replace("%", " %")


def between(share: Share) -> str:
    low, high = share.interval
    return f"{low * 100:.1f} to {high * 100:.1f}"


def by_route(report: Report) -> Table:
    """How right each route is, and how long its questions took to be classified."""
    timed = MS if report.latencies else ()
    table = _table("route", "model", "labelled", "taken", "right", "precision", "recall", *timed)
    for one in report.intents:
        model = report.table.routes[one.name].resolved.id
        counts = (one.labelled, one.taken, one.right)
        table.add_row(
            *(one.name, model, *map(_count, counts), percent(one.precision), percent(one.recall)),
            *(_latency(report.latencies.get(one.name)) if timed else ()),
        )
    if report.failures:
        count = str(sum(report.failures.values()))
        table.add_row(NO_VERDICT, NONE, NONE, count, *[NONE] * (3 + len(timed)), style="red")
    table.add_section()
    of, right = report.accuracy.of, report.accuracy.count
    ends = _latency(report.latencies.get(TOGETHER)) if timed else ()
    table.add_row(TOGETHER, "", str(of), str(of), str(right), "", "", *ends, style="bold")
    return table


def confusion(report: Report) -> Table:
    """A row for each label, a column for each route that was taken."""
    columns = [*report.names, *([NO_VERDICT] if report.failures else [])]
    table = _table("label", *(f"{name} " for name in columns))
    for label, row in report.confusion.items():
        of = sum(row.values())
        table.add_row(label, *(_cell(row[name], of, right=name == label) for name in columns))
    return table


def thresholds(report: Report) -> Table:
    """Only those at which something changes."""
    table = _table("confidence from", "keep their route", "right of those", "right of all", "")
    best = max(one.overall.count for one in report.steps)
    for first, last in _runs(report.steps):
        own = first.confidence <= report.table.confidence <= last.confidence
        span = f"{first.confidence:.2f}"
        span += f" to {last.confidence:.2f}" if last is not first else ""
        most = "  [green]most[/]" if first.overall.count == best else ""
        here = f"  [cyan]◂ {report.table.confidence:g}, the table's[/]" if own else ""
        shares = (first.keeps, first.right, first.overall)
        bar = f"[bright_black]{'━' * round((first.overall.value or 0) * BAR):<{BAR}}[/]"
        table.add_row(span, *(percent(one.value) for one in shares), f"{bar}{most}{here}")
    return table


def models(report: Report) -> Table:
    """Routing beside one model for everything."""
    table = _table("model", "as labelled", "cheaper", "dearer", "USD/M in", "USD/M out", "models")
    of = len(report.outcomes)
    for one in report.strategies:
        counts = (one.same, one.cheaper, one.dearer)
        mixture = ", ".join(f"{name} {share:.0%}" for name, share in one.share.items())
        table.add_row(
            one.name.replace("as labelled", "each label's own"),
            *(percent(count / of) for count in counts),
            *(f"{price:,.2f}" for price in (one.input_usd, one.output_usd)),
            Text(mixture, style="dim"),
            style="bold" if one.name.startswith("as r") else None,
        )
    return table


def tags(report: Report) -> Table:
    """The worst first."""
    table = _table("tag", "questions", "right", "95 % interval")
    for tag, share in report.tags.items():
        table.add_row(escape(tag), str(share.of), percent(share.value), between(share))
    return table


def mistakes(found: Iterable[Outcome], *, width: int) -> Table:
    """Questions that the classifier was sure of, and wrong."""
    table = _table("question", "label", "took", "confidence", "text")
    for one in found:
        verdict = one.verdict
        text = " ".join(one.question.text.split())
        text = text if len(text) <= width else f"{text[: width - 1]}…"
        unsure = (
            "" if verdict is None or verdict.intent == one.taken else f" (not {verdict.intent})"
        )
        table.add_row(
            escape(one.question.name),
            one.question.intent,
            f"{one.taken}{unsure}",
            f"{verdict.confidence:.2f}" if verdict else NONE,
            Text(text, style="dim"),
        )
    return table


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for at, name in enumerate(columns):
        left = at == 0 or name in LEFT or not name
        table.add_column(name, justify="left" if left else "right", no_wrap=True)
    return table


def _cell(count: int, of: int, *, right: bool) -> Text:
    if not count:
        return Text(f"{NONE} ", style="bright_black")
    wrong = "bold white on red" if count / of >= MUCH else "red"
    return Text(f" {count:,} ", style="bold green" if right else wrong)


def _count(count: int) -> str:
    return f"{count:,}" if count else NONE


def _latency(found: Latency | None) -> tuple[str, str]:
    if found is None:
        return NONE, NONE
    return f"{found.p50 * 1_000:,.0f}", f"{found.p95 * 1_000:,.0f}"


def _runs(steps: list[Step]) -> Iterable[tuple[Step, Step]]:
    """Neighbours that are the same, as first and last."""
    first = steps[0]
    for before, after in zip(steps, [*steps[1:], None], strict=True):
        if after is None or not first.same(after):
            yield first, before
            first = after or first
