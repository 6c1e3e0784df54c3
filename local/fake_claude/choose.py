"""Which script a request gets: its header's, else a mark's in its prompt, else the plan's next."""

from collections.abc import Mapping
from typing import Any

from local.fake_claude import prompt
from local.fake_claude.behaviours import checked
from local.fake_claude.errors import invalid
from local.fake_claude.script import BadScriptError, Script, marks, parse
from local.fake_claude.state import State

PLAIN = checked(Script())


def choose(
    fake: State, body: Mapping[str, Any], *, header: str | None, route: str, planned: bool
) -> Script:
    """The script for a valid request.

    Args:
        route: where it came in; uses of a script are counted for each route apart.
        planned: whether the plan is for requests like this.
    """
    asked = prompt.last_user_text(body)
    for source in [*([header] if header else []), *marks(asked)]:
        try:
            script = checked(parse(source))
        except BadScriptError as err:
            raise invalid(f"fake Claude: {err}") from err
        if script.model in (None, body["model"]) and _left(fake, script, (route, source, asked)):
            return script
    return (fake.plan.next(body["model"]) if planned else None) or PLAIN


def _left(fake: State, script: Script, use: tuple[str, ...]) -> bool:
    """Whether the script may be followed once more; if so, that is counted."""
    if script.times is None:
        return True
    fake.used[use] += 1
    return fake.used[use] <= script.times
