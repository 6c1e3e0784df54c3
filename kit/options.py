"""What every command has that talks to a deployment: where it is, and how it fails."""

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from kit.deployment import Deployment
from kit.say import sentences

Json = Annotated[bool, typer.Option("--json", help="For programs: JSON on standard output.")]

_WHERE: dict[str, tuple[Any, Any]] = {
    "env": (Annotated[str, typer.Option(help="Environment: dev or prod.")], "dev"),
    "region": (Annotated[str | None, typer.Option(help="AWS region.")], None),
    "profile": (Annotated[str | None, typer.Option(help="AWS profile.")], None),
    "local": (
        Annotated[bool, typer.Option("--local", help="The local cloud of this checkout.")],
        False,
    ),
}


def deployed(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that name a deployment, and hand it over as its first argument.

    What goes wrong in it becomes a sentence and an exit code.
    """

    @functools.wraps(command)
    def run(**given: Any) -> None:
        where = {name: given.pop(name) for name in _WHERE}
        with sentences():
            command(Deployment(**where), **given)

    _, *own = inspect.signature(command, eval_str=True).parameters.values()
    more = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, (kind, default) in _WHERE.items()
    ]
    # typer reads both; what it would follow to the undecorated command goes.
    run.__signature__ = inspect.Signature([*own, *more])  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in [*own, *more]}
    del run.__wrapped__
    return run
