"""What a team's own table of routes must be, and what else is asked of who chooses models."""

from pathlib import PurePath

from claude_core.routes import BadTable, Table
from stacks.parts.assets import ROOT
from stacks.parts.rules import SERVERLESS, Rule, between


def table(routes_file: str | None) -> Table:
    """A team's own table, or the one that ships.

    Raises:
        BadTable: says what is wrong with it.
    """
    if routes_file is None:
        return Table.own()
    path = PurePath(routes_file)
    if path.is_absolute() or ".." in path.parts:
        raise BadTable("not a path in this repository")
    try:
        text = (ROOT / path).read_bytes()
    except OSError as err:
        raise BadTable(f"it cannot be read ({err.strerror})") from err
    return Table.from_json(text)


def wrong(routes_file: str | None) -> str:
    """What is wrong with it; nothing: it may be deployed."""
    try:
        table(routes_file)
    except BadTable as err:
        return f": {err}"
    return ""


ROUTING = (
    Rule("routes_file", lambda value, _: not wrong(value), "must be a table of routes", wrong),
    Rule("classifier_failures_percent", between(1, 100), "must be 1 to 100"),
)
ORCHESTRATOR = (*SERVERLESS, *ROUTING)
