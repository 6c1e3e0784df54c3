"""`kit`: everything around a deployment that cdk does not do."""

from typing import Annotated

import typer

from claude_core import __version__
from kit import budget, clients, jobs, key
from kit.ask import ask
from kit.doctor import doctor
from kit.router import command as router
from kit.submit import submit
from kit.usage import usage

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    epilog="Start with: kit doctor",
)


def _print_version(asked: bool) -> None:
    if asked:
        print(f"kit {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Everything around a deployment that cdk does not do."""


app.command(epilog="Example: kit doctor --env prod")(doctor)
app.add_typer(key.app, name="key")
app.add_typer(clients.app, name="clients")
app.add_typer(budget.app, name="budget")
app.command(epilog="Example: kit usage --days 7 --plot")(usage)
app.command(epilog='Example: kit ask "Why is the sky blue?" --model balanced --local')(ask)
app.command(
    epilog='Example: kit submit docs/*.md --instruction "Summarize in one line" --lane batch --wait'
)(submit)
app.add_typer(jobs.app, name="jobs")
app.add_typer(router.app, name="router")

if __name__ == "__main__":
    app()
