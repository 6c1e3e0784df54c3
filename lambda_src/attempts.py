"""What is kept of one attempt at a step, and whether another one is made: in words that an
execution remembers, so that a run which begins anew decides the same."""

import random
from collections import Counter

from claude_core import errors
from claude_core.errors import AnswerLost, ConnectFailed, KitError, UpstreamBroken
from claude_core.jobs.claims import ATTEMPTS, FREE_FAILURES
from claude_core.retry import pause_s
from claude_core.wire import Json

LONGEST_S = 900.0
"""Between two attempts, unless somebody asks for more."""
MOST = {"failed": FREE_FAILURES, "lost": ATTEMPTS}
"""Attempts that may end so; others wait for what passes, as often as that takes."""
TOLD = ("client", "model", "request_id", "upstream_status", "attempts", "budget")

# Of the operating system: environments restored from one snapshot would share any other.
_JITTER = random.SystemRandom()


def late() -> Json:
    """For one that was put off: the time of this function is too short for it."""
    return {"again_s": 1.0, "cost": 0}


def failure(err: KitError, before: Counter[str], *, worst: int, rest_s: float) -> Json:
    """For one that failed.

    Args:
        before: how those before it have ended, by kind.
        worst: nano-dollars that it may have cost; rest_s: seconds that there are for all of it.
    """
    kind = kind_of(err)
    delay = again_s(err, before[kind] + 1)
    return {
        "failed": told(err),
        "kind": kind,
        "again_s": None if delay is None or delay > rest_s else delay,
        "cost": worst if err.may_be_billed else 0,
    }


def kind_of(err: KitError) -> str:
    """What counts together: Claude failed and took nothing, an answer was lost, or it must wait."""
    match err:
        case UpstreamBroken() | ConnectFailed():
            return "failed"
        case AnswerLost():
            return "lost"
    return "waits"


def again_s(err: KitError, times: int) -> float | None:
    """Seconds until a call is made again that has so failed so many times; None: never."""
    kind = kind_of(err)
    backoff = min(LONGEST_S, 2.0 ** min(times, 10) * _JITTER.uniform(0.75, 1.25))
    if kind in MOST:
        return backoff if times < MOST[kind] else None
    pause = pause_s(err)
    if pause is None or isinstance(err, errors.Unavailable):
        return pause
    return max(pause, backoff)


def told(err: KitError) -> Json:
    """An error for the memory of an execution."""
    fields = {name: getattr(err, name) for name in ("message", "status", "type", *TOLD)}
    return {"name": type(err).__name__, **fields}


def heard(said: Json) -> KitError:
    """The error that `told` wrote down."""
    kind = getattr(errors, said["name"])
    failed: KitError = kind.__new__(kind)
    KitError.__init__(failed, said["message"])
    for name in ("status", "type", *TOLD):
        setattr(failed, name, said[name])
    return failed
