"""A report for people: what matters first, and whose figures they are before any of them."""

import datetime as dt
from collections.abc import Iterator

from rich.console import RenderableType
from rich.markup import escape

from claude_core.models import NANO
from kit.progress import span
from kit.router import tables
from kit.router.report import FAKE, NOBODY, REAL, Report
from kit.say import usd

TEXT = 72
"""Characters of a question that are shown."""
CHANCE = 0.05
"""A change that chance alone makes more often says nothing."""
WHOSE = {
    FAKE: "the fake Claude answered: these figures show that the arithmetic works, and nothing of "
    "how right a classifier is",
    NOBODY: "free rules alone, no classifier was asked",
}


def told(report: Report, *, misses: int) -> Iterator[RenderableType]:
    """Everything, part by part.

    Args:
        misses: so many mistakes are shown.
    """
    yield _made(report)
    yield from _headline(report)
    yield from _part("by route", tables.by_route(report))
    yield from _part("label (rows) and route taken (columns)", tables.confusion(report))
    if report.steps:
        yield from _part(
            "if verdicts counted from another confidence on", tables.thresholds(report)
        )
    yield from _part(
        "whose model answers, and at what price beside the classifying", tables.models(report)
    )
    if report.tags and report.run.classifier != NOBODY:
        yield from _part("by tag", tables.tags(report))
    yield from _mistakes(report, misses)
    yield from _costs(report)
    yield from _last(report)


def _made(report: Report) -> str:
    run, count = report.run, len(report.outcomes)
    split = "" if run.split == "all" else f", {run.split}"
    said = f"[bold]{count:,} questions[/] of {escape(run.file)}{split}"
    if run.classifier != NOBODY:
        said += f" [dim]· through {run.deployment}, {run.at_once} at once, {span(run.took_s)}[/]"
    whose = WHOSE.get(run.classifier)
    return f"{said}\n[yellow]{whose}[/]" if whose else said


def _headline(report: Report) -> Iterator[str]:
    share, table = report.accuracy, report.table
    of = f"[dim]{share.count:,} of {share.of:,} take their label's route[/]"
    what = {REAL: "accuracy", FAKE: "of the fake, right", NOBODY: "right without a classifier"}
    yield (
        f"\n[bold]{what[report.run.classifier]}  {tables.percent(share.value)}[/]   95 % interval "
        f"{tables.between(share)}   {of}"
    )
    if report.run.classifier == NOBODY:
        default = f"{table.default.intent}, {table.default.resolved.id}"
        yield (
            f"The rules decide {report.ruled:,} of {share.of:,}: they look at a model that is "
            "named, attachments, budget and conversation, not at what a text wants.\n"
            f"Without a classifier all others take the default route ({default})."
        )
        return
    for reason, count in report.failures.items():
        yield f"[red]{count:,} counted as wrong: {reason}[/]{_details(report, reason)}"


def _details(report: Report, reason: str) -> str:
    said = [one.detail for one in report.outcomes if one.reason == reason and one.detail]
    if not said:
        return ""
    most = max(dict.fromkeys(said), key=said.count)
    return f" [dim]({'mostly ' if len({*said}) > 1 else ''}{escape(most)})[/]"


def _part(title: str, shown: RenderableType) -> Iterator[RenderableType]:
    yield f"\n[cyan]{title}[/]"
    yield shown


def _mistakes(report: Report, most: int) -> Iterator[RenderableType]:
    open_ = [one for one in report.mistakes if one.question.split != "held_out"]
    if shown := open_[:most]:
        more = f", {len(shown)} of {len(open_)}" if len(shown) < len(open_) else ""
        yield from _part(f"surest mistakes{more}", tables.mistakes(shown, width=TEXT))
    if hidden := len(report.mistakes) - len(open_):
        are = "mistake is" if hidden == 1 else "mistakes are"
        yield (
            f"\n[dim]{hidden:,} held-out {are} not shown: who mends the table by them has none "
            "left to measure with[/]"
        )


def _costs(report: Report) -> Iterator[str]:
    if report.run.classifier == NOBODY:
        return
    said = [f"classifying cost {usd(report.cost / NANO)}"]
    if report.cost:
        said.append(f"{usd(report.cost_of_1000 / NANO)} per 1,000 questions")
    if report.unknown_cost:
        said.append(f"those without an answer at most {usd(report.unknown_cost / NANO)} more")
    if report.run.waking:
        said.append(f"waking the deployment before {usd(report.run.waking / NANO)}")
    yield f"\n{'; '.join(said)}"


def _last(report: Report) -> Iterator[str]:
    last, found = report.last, report.compared
    if last is None:
        if report.run.classifier != NOBODY:
            yield "[dim]no run before this one to set it beside[/]"
        return
    when = dt.datetime.fromisoformat(last["run"]["began_at"])
    title = f"last run, {when:%Y-%m-%d %H:%M} UTC"
    if found is None:
        yield f"{title}: has no question in common with this one"
        return
    table = "the same table" if report.same_table else "another table"
    of = f" of {found.now.of:,} in common"
    before, now = tables.percent(found.before.value), tables.percent(found.now.value)
    yield f"{title}, {table}:  {before} → [bold]{now}[/]{of}"
    if found.mended or found.broken:
        chance = "may be chance" if found.chance >= CHANCE else "hardly chance"
        yield (
            f"  [green]{len(found.mended):,} mended[/], [red]{len(found.broken):,} broken[/]: "
            f"{chance} (p = {found.chance:.2g})"
        )
