"""What a team's own workflows must be; the file is read at synth, and not run."""

import ast
import sys
from pathlib import PurePath

from stacks.parts.assets import ROOT
from stacks.parts.rules import Rule, between

ALLOWED = {*sys.stdlib_module_names, "claude_core"}
"""What a workflow may import: it is one file."""


def wrong(workflows_file: str | None) -> str:
    """What is wrong with it; nothing: it may be deployed."""
    if workflows_file is None:
        return ""
    path = PurePath(workflows_file)
    if path.is_absolute() or ".." in path.parts:
        return ": not a path in this repository"
    try:
        tree = ast.parse((ROOT / path).read_bytes())
    except OSError as err:
        return f": it cannot be read ({err.strerror})"
    except (SyntaxError, ValueError) as err:
        return f": {err}"
    found = [one for one in tree.body if isinstance(one, ast.AsyncFunctionDef)]
    workflows = [one for one in found if not one.name.startswith("_")]
    if not workflows:
        return ": there is none in it"
    for one in workflows:
        if len(one.args.posonlyargs + one.args.args) != 2 or one.args.kwonlyargs:
            return f": {one.name}: must take two arguments, what to ask with and what it is given"
    if strange := sorted(_imported(tree) - ALLOWED):
        return f": it imports {strange[0]}, which is not in the function's bundle"
    return ""


def _imported(tree: ast.Module) -> set[str]:
    """The packages that a file imports; "." for one of its own neighbours."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add("." if node.level else str(node.module).split(".")[0])
    return found


WORKFLOWS = (
    Rule(
        "workflows_file",
        lambda value, _: not wrong(value),
        "must be a Python file of workflows, each an async def",
        wrong,
    ),
    Rule(
        "workflow_timeout_s",
        between(60, 31_622_400),
        "must be 60 to 31622400: an answer may take a minute; Lambda's limit is a year",
    ),
    Rule("workflow_days", between(1, 90), "must be 1 to 90, Lambda's own limit"),
)
