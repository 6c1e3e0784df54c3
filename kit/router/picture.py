"""The confusion matrix as a picture: one SVG without fonts, scripts or anything to load."""

from collections.abc import Iterator
from xml.sax.saxutils import escape

from kit.router.figures import NO_VERDICT, Intent
from kit.router.report import FAKE, NOBODY, Report

CELL, HIGH, GAP = 92, 52, 3
LEFT, TOP, SIDE, BELOW = 118, 112, 74, 76
RIGHT_HUE, WRONG_HUE = (27, 94, 148), (176, 48, 40)
"""Of a whole row in one cell: where it belongs, and where not; less of it is paler."""
EMPTY, INK, FAINT = "#f3f4f6", "#1f2933", "#6b7785"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"
READABLE = 0.45
"""From this share on a cell is so dark that its number is white."""
WHOSE = {FAKE: "Of the fake Claude: no measurement. ", NOBODY: "Free rules alone. "}


def svg(report: Report) -> str:
    """The picture, ready to be written."""
    columns = [*report.names, *([NO_VERDICT] if report.failures else [])]
    width = max(LEFT + CELL * len(columns) + SIDE, 560)
    high = TOP + HIGH * len(report.names) + BELOW
    (low, top), share = report.accuracy.interval, report.accuracy
    said = (
        f"{WHOSE.get(report.run.classifier, '')}{(share.value or 0) * 100:.1f} % of {share.of:,} "
        f"questions took their label's route (95 % interval {low * 100:.1f} to {top * 100:.1f})"
    )
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {high}" width="{width}" '
        f'height="{high}" role="img" font-family="{escape(FONT)}" font-size="13" fill="{INK}">',
        f"<title>Routes taken, by label</title><desc>{escape(said)}</desc>",
        f'<rect width="{width}" height="{high}" fill="#ffffff"/>',
        _text(16, 30, "Routes taken, by label", size=18, weight=600),
        _text(16, 51, said, size=12, fill=FAINT),
        *_head(columns),
        *(line for at, one in enumerate(report.intents) for line in _row(report, at, one, columns)),
        *_foot(report, columns),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _head(columns: list[str]) -> Iterator[str]:
    for at, name in enumerate(columns):
        yield _text(LEFT + CELL * at + CELL / 2, TOP - 12, name, anchor="middle", weight=600)
    yield _text(
        LEFT + CELL * len(columns) + SIDE / 2, TOP - 12, "recall", anchor="middle", fill=FAINT
    )


def _row(report: Report, at: int, intent: Intent, columns: list[str]) -> Iterator[str]:
    row, y = report.confusion[intent.name], TOP + HIGH * at
    middle = y + HIGH / 2
    yield _text(LEFT - 12, middle, intent.name, anchor="end", weight=600, middle=True)
    for place, name in enumerate(columns):
        count, x = row[name], LEFT + CELL * place
        share = count / intent.labelled if intent.labelled else 0.0
        fill = _shade(share, RIGHT_HUE if name == intent.name else WRONG_HUE) if count else EMPTY
        ink = "#ffffff" if share >= READABLE else INK if count else "#b6bec8"
        yield (
            f'<rect x="{x + GAP / 2}" y="{y + GAP / 2}" width="{CELL - GAP}" '
            f'height="{HIGH - GAP}" rx="4" fill="{fill}"><title>{escape(intent.name)} to '
            f"{escape(name)}: {count:,} of {intent.labelled:,}</title></rect>"
        )
        yield _text(x + CELL / 2, middle, f"{count:,}", anchor="middle", fill=ink, middle=True)
    end = LEFT + CELL * len(columns) + SIDE / 2
    yield _text(end, middle, _percent(intent.recall), anchor="middle", fill=FAINT, middle=True)


def _foot(report: Report, columns: list[str]) -> Iterator[str]:
    y = TOP + HIGH * len(report.names) + 22
    yield _text(LEFT - 12, y, "precision", anchor="end", fill=FAINT)
    precisions = {one.name: _percent(one.precision) for one in report.intents}
    for at, name in enumerate(columns):
        said = precisions.get(name, "")
        yield _text(LEFT + CELL * at + CELL / 2, y, said, anchor="middle", fill=FAINT)
    run = report.run
    split = "" if run.split == "all" else f", {run.split}"
    about = f"{run.file}{split} · {run.began_at[:10]} · rows: label, columns: route taken"
    yield _text(16, y + 34, about, size=11, fill=FAINT)


def _shade(share: float, hue: tuple[int, int, int]) -> str:
    """From almost white to the whole colour; one of a hundred can still be seen."""
    strength = 0.12 + 0.88 * share
    return "#" + "".join(f"{round(255 - (255 - part) * strength):02x}" for part in hue)


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value * 100:.0f} %"


def _text(
    x: float,
    y: float,
    said: str,
    *,
    anchor: str = "start",
    size: int = 13,
    weight: int = 400,
    fill: str = INK,
    middle: bool = False,
) -> str:
    base = ' dominant-baseline="central"' if middle else ""
    return (
        f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" font-size="{size}" '
        f'font-weight="{weight}" fill="{fill}"{base}>{escape(said)}</text>'
    )
