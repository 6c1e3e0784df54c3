"""The confusion matrix as a picture: one SVG without fonts, scripts or anything to load."""

from collections.abc import Iterator
from html import escape

from kit.router.figures import NO_VERDICT, Intent
from kit.router.report import FAKE, NOBODY, Report

HIGH, GAP = 52, 3
TOP, SIDE, BELOW = 112, 74, 76
LETTER = 8.2
"""As wide as a bold one is on average; names of intents are of any length up to 32."""
RIGHT_HUE, WRONG_HUE = (27, 94, 148), (176, 48, 40)
"""Of a whole row in one cell: where it belongs, and where not; less of it is paler."""
EMPTY, INK, FAINT, PALE = "#f3f4f6", "#1f2933", "#6b7785", "#b6bec8"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"
READABLE = 0.45
"""From this share on a cell is so dark that its number is white."""
WHOSE = {FAKE: "Of the fake Claude: no measurement. ", NOBODY: "Free rules alone. "}


def svg(report: Report) -> str:
    """The picture, ready to be written."""
    return "\n".join(_Picture(report).lines()) + "\n"


class _Picture:
    def __init__(self, report: Report) -> None:
        self._report = report
        self._columns = [*report.names, *([NO_VERDICT] if report.failures else [])]
        self._left = 40 + round(LETTER * max(map(len, report.names), default=0))
        self._cell = max(92, 14 + round(LETTER * max(map(len, self._columns))))
        self._end = self._left + self._cell * len(self._columns)
        self._below = TOP + HIGH * len(report.names)

    def lines(self) -> Iterator[str]:
        width, high = max(self._end + SIDE, 640), self._below + BELOW
        said = _said(self._report)
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {high}" '
            f'width="{width}" height="{high}" role="img" font-family="{FONT}" fill="{INK}">'
        )
        yield f"<title>Routes taken, by label</title><desc>{escape(said)}</desc>"
        yield f'<rect width="{width}" height="{high}" fill="#ffffff"/>'
        yield _text(16, 30, "Routes taken, by label", size=18, weight=600)
        yield _text(16, 51, said, size=12, fill=FAINT)
        yield from self._head()
        for at, one in enumerate(self._report.intents):
            yield from self._row(TOP + HIGH * at, one)
        yield from self._foot()
        yield "</svg>"

    def _middle(self, at: int) -> float:
        return self._left + self._cell * (at + 0.5)

    def _head(self) -> Iterator[str]:
        for at, name in enumerate(self._columns):
            yield _text(self._middle(at), TOP - 12, name, anchor="middle", weight=600)
        yield _text(self._end + SIDE / 2, TOP - 12, "recall", anchor="middle", fill=FAINT)

    def _row(self, y: int, intent: Intent) -> Iterator[str]:
        middle, of = y + HIGH / 2, intent.labelled
        yield _text(self._left - 12, middle, intent.name, anchor="end", weight=600, middle=True)
        for at, name in enumerate(self._columns):
            count = self._report.confusion[intent.name][name]
            share = count / of if of else 0.0
            fill = _shade(share, RIGHT_HUE if name == intent.name else WRONG_HUE)
            ink = "#ffffff" if share >= READABLE else INK
            yield (
                f'<rect x="{self._left + self._cell * at + GAP / 2}" y="{y + GAP / 2}" '
                f'width="{self._cell - GAP}" height="{HIGH - GAP}" rx="4" '
                f'fill="{fill if count else EMPTY}"><title>{escape(intent.name)} to '
                f"{escape(name)}: {count:,} of {of:,}</title></rect>"
            )
            ink = ink if count else PALE
            said = f"{count:,}"
            yield _text(self._middle(at), middle, said, anchor="middle", fill=ink, middle=True)
        recall = _percent(intent.recall)
        end = self._end + SIDE / 2
        yield _text(end, middle, recall, anchor="middle", fill=FAINT, middle=True)

    def _foot(self) -> Iterator[str]:
        y, run = self._below + 22, self._report.run
        yield _text(self._left - 12, y, "precision", anchor="end", fill=FAINT)
        for at, one in enumerate(self._report.intents):
            said = _percent(one.precision)
            yield _text(self._middle(at), y, said, anchor="middle", fill=FAINT)
        split = "" if run.split == "all" else f", {run.split}"
        about = f"{run.file}{split} · {run.began_at[:10]} · rows: label, columns: route taken"
        yield _text(16, y + 34, about, size=11, fill=FAINT)


def _said(report: Report) -> str:
    share, (low, high) = report.accuracy, report.accuracy.interval
    return (
        f"{WHOSE.get(report.run.classifier, '')}{(share.value or 0) * 100:.1f} % of {share.of:,} "
        f"questions took their label's route (95 % interval {low * 100:.1f} to {high * 100:.1f})"
    )


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
