"""Which script a request gets: its header's, else a mark's in its prompt, else the plan's next."""

from local.fake_claude.behaviours import checked
from local.fake_claude.errors import invalid
from local.fake_claude.script import BadScriptError, Script, marks, parse
from local.fake_claude.state import State

PLAIN = checked(Script())


def choose(
    fake: State,
    *,
    route: str,
    header: str | None = None,
    asked: str = "",
    model: str | None = None,
    planned: bool = True,
) -> Script:
    """The script for a valid request.

    Args:
        route: where it came in; plans and uses of a script are kept for each route apart.
        asked: the prompt, whose marks count.
        model: which model is asked, if any is.
        planned: whether it takes part in the plan.
    """
    for source in [*([header] if header else []), *marks(asked)]:
        try:
            script = checked(parse(source))
        except BadScriptError as err:
            raise invalid(f"fake Claude: {err}") from err
        if script.model in (None, model) and _left(fake, script, (route, source, asked)):
            return script
    plan = fake.plans.get(route) if planned else None
    return (plan.next(model) if plan else None) or PLAIN


def _left(fake: State, script: Script, use: tuple[str, ...]) -> bool:
    """Whether the script may be followed once more; if so, that is counted."""
    if script.times is None:
        return True
    fake.used[use] += 1
    return fake.used[use] <= script.times
