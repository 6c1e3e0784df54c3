"""Which scripts the next requests of a route get."""

import random
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from local.fake_claude.script import BadScriptError, Script

PLAN_FIELDS = ("behaviours", "route", "repeat", "probability", "seed")
MESSAGES = "POST /v1/messages"
_BATCHES = "/v1/messages/batches"
PLANNED = (
    MESSAGES,
    f"{MESSAGES}/count_tokens",
    f"POST {_BATCHES}",
    f"GET {_BATCHES}",
    f"GET {_BATCHES}/{{id}}",
    f"GET {_BATCHES}/{{id}}/results",
    f"POST {_BATCHES}/{{id}}/cancel",
    f"DELETE {_BATCHES}/{{id}}",
)
"""The routes that can have a plan, as the statistics name them."""


class Plan:
    """Scripts for requests to come, one each, in order."""

    def __init__(
        self,
        scripts: Sequence[Script] = (),
        *,
        repeat: bool = False,
        probability: float = 1.0,
        seed: int | None = None,
    ) -> None:
        """A plan.

        Args:
            repeat: begin again at the end.
            probability: of each request to be given a script at all.
            seed: makes the draw the same each time.
        """
        repeated = (
            replace(script, times=None) for script in scripts for _ in range(script.times or 1)
        )
        self._scripts = deque(repeated)
        self._repeat, self._probability = repeat, probability
        self._random = random.Random(seed)  # nosec B311

    def __len__(self) -> int:
        return len(self._scripts)

    def next(self, model: str | None) -> Script | None:
        """The first script that is for a request to `model`, or to any; those for other models go
        on waiting, and stand in nobody's way: of two calls at once either may come first."""
        if not self._scripts or self._random.random() >= self._probability:
            return None
        for at, script in enumerate(self._scripts):
            if script.model in (None, model):
                del self._scripts[at]
                if self._repeat:
                    self._scripts.append(script)
                return script
        return None


def read_plan(given: Any) -> tuple[str, list[Any], dict[str, Any]]:
    """Route, behaviours and options of a posted plan: a list, or an object with `behaviours`."""
    if isinstance(given, list):
        return MESSAGES, given, {}
    if not isinstance(given, Mapping) or not isinstance(given.get("behaviours"), list):
        raise BadScriptError("a plan is a list of behaviours, or an object with `behaviours`")
    for name in given.keys() - set(PLAN_FIELDS):
        raise BadScriptError(f"{name}: not a field of a plan; known are {', '.join(PLAN_FIELDS)}")
    route = given.get("route", MESSAGES)
    if route not in PLANNED:
        raise BadScriptError(f"route: {route!r} has no plans; known are {', '.join(PLANNED)}")
    options = {name: given[name] for name in PLAN_FIELDS[2:] if name in given}
    probability = options.get("probability", 1.0)
    if isinstance(probability, bool) or not isinstance(probability, int | float):
        raise BadScriptError(f"probability: {probability!r} is not a number")
    if "probability" in options:
        options.setdefault("repeat", True)
    return route, given["behaviours"], options
