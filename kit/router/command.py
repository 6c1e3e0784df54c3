"""`kit router eval`: how right the routing is on labelled questions, and what it costs."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from kit.deployment import Deployment
from kit.options import deployed
from kit.say import Stop, err, out

STDOUT = Path("-")
app = typer.Typer(no_args_is_help=True, help="Which model answers what, and how right that is.")
Split = Literal["tune", "held_out", "all"]


@app.callback()
def group() -> None:
    """Which model answers what, and how right that is."""


@app.command(
    "eval", epilog="Example: kit router eval kit/questions/starter.jsonl --split tune --local"
)
@deployed
def evaluate(
    deployment: Deployment,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE.jsonl",
            help='A question a line: {"text", "intent"}; "id", "split" and "tags" if you like.',
        ),
    ],
    split: Annotated[Split, typer.Option(help="Only these of them.")] = "all",
    routes: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Another table than the deployed one."),
    ] = None,
    rules_only: Annotated[
        bool, typer.Option("--rules-only", help="Ask nobody: what the free rules do alone.")
    ] = False,
    parallel: Annotated[int, typer.Option(min=1, max=64, help="So many at once.")] = 8,
    late: Annotated[
        float,
        typer.Option(metavar="SECONDS", help="When one is late; the default is the router's."),
    ] = 1.5,
    misses: Annotated[int, typer.Option(min=0, help="So many mistakes are shown.")] = 10,
    fail_under: Annotated[
        float | None, typer.Option(metavar="SHARE", help="For CI: exit 1 below it, such as 0.9.")
    ] = None,
    last: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Keep the run there, and compare with what was there."),
    ] = None,
    picture: Annotated[
        Path | None, typer.Option(metavar="FILE.svg", help="Draw label and route there.")
    ] = None,
    as_json: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="All figures; -: nothing else.")
    ] = None,
    key: Annotated[str | None, typer.Option(envvar="KIT_CLIENT_KEY", help="A client key.")] = None,
) -> None:
    """Measure the routing on labelled questions: each is classified once, and the client pays."""
    # Routing brings the client of Claude along, which no other command waits for.
    from kit.router.evaluating import Evaluation, deployed_routes
    from kit.router.last import write
    from kit.router.picture import svg
    from kit.router.questions import read
    from kit.router.questions import routes as table_of
    from kit.router.screen import told
    from kit.router.written import written

    if fail_under is not None and not 0 <= fail_under <= 1:
        raise Stop(f"--fail-under {fail_under:g}: must be a share from 0 to 1", code=2)
    if not 0 < late <= 60:
        raise Stop(f"--late {late:g}: must be above 0, 60 at most", code=2)
    if picture and picture.suffix != ".svg":
        raise Stop(f"--picture {picture}: give it a name that ends in .svg", code=2)
    if routes is None and not rules_only and (routes := deployed_routes(deployment)):
        err.print(f"routes: {routes.name}, as deployed", markup=False)
    table = table_of(routes)
    evaluation = Evaluation(
        file=file,
        split=split,
        table=table,
        questions=read(file, table, split),
        at_once=parallel,
        late_s=late,
    )
    kept: Path | None = None
    if rules_only:
        report = evaluation.by_rules()
    else:
        report, kept = evaluation.asked(deployment, key, last)
    text = written(report)
    if as_json == STDOUT:
        print(text, end="")
    else:
        for part in told(report, misses=misses):
            out.print(part)
    # Written when everything is told: what was paid for is not lost to a folder that is not there.
    for path, content in ((kept, text), (as_json, text), (picture, svg(report))):
        if path and path != STDOUT:
            write(path, content)
    if named := [str(path) for path in (as_json, picture) if path and path != STDOUT]:
        err.print(f"written: {', '.join(named)}", markup=False)
    share = report.accuracy.value or 0.0
    if fail_under is not None and share < fail_under:
        raise Stop(f"{share:.4f} is under --fail-under {fail_under:g}")
