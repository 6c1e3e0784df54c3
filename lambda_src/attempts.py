"""What is kept of one attempt at a step, and whether another one is made: in words that an
execution remembers, so that a run which begins anew decides the same."""

import json
import random
from collections import Counter
from typing import Any

from aws_durable_execution_sdk_python.serdes import SerDes, SerDesContext

from claude_core import errors
from claude_core.errors import AnswerLost, ConnectFailed, KitError, UpstreamBroken
from claude_core.jobs.claims import ATTEMPTS, FREE_FAILURES
from claude_core.retry import pause_s
from claude_core.wire import Json

LONGEST_S = 900.0
"""Between two attempts, unless somebody asks for more."""
FAILED, LOST, WAITS = "failed", "lost", "waits"
MOST = {FAILED: FREE_FAILURES, LOST: ATTEMPTS}
"""Attempts that may end so; others wait for what passes, as often as that takes."""
KEPT_BYTES = 250_000
"""Of an answer: Lambda keeps no more than 256 KB of a step."""
TOLD = ("client", "model", "request_id", "upstream_status", "attempts", "budget")

# Of the operating system: environments restored from one snapshot would share any other.
_JITTER = random.SystemRandom()


def compact(value: Any) -> str:
    """JSON that can be sent, in as few bytes as that takes."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a pair: such a letter has no bytes but an escape's
        return json.dumps(value, separators=(",", ":"))
    return text


class Compact(SerDes[Any]):
    """JSON as it is counted: the SDK's own takes six bytes for a letter that is not Latin."""

    def serialize(self, value: Any, _: SerDesContext) -> str:
        return compact(value)

    def deserialize(self, data: str, _: SerDesContext) -> Any:
        return json.loads(data)


def answer(kept: Json, cost: int) -> Json:
    """For one that was answered, which has cost so many nano-dollars."""
    size = len(compact(kept).encode())
    if size <= KEPT_BYTES:
        return {"kept": kept, "cost": cost}
    err = errors.TooLarge(f"the answer has {size} bytes, of {KEPT_BYTES}; ask for fewer tokens")
    return {"failed": told(err), "kind": LOST, "again_s": None, "cost": cost}


def late() -> Json:
    """For one that was put off: the time of this function is too short for it."""
    return {"again_s": 1.0, "cost": 0}


def failure(err: KitError, kind: str, before: Counter[str], *, worst: int, rest_s: float) -> Json:
    """For one that failed.

    Args:
        kind: what it counts as; before: how those before it have ended, by kind.
        worst: nano-dollars that it may have cost; rest_s: seconds that there are for all of it.
    """
    delay = again_s(err, kind, before[kind] + 1)
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
            return FAILED
        case AnswerLost():
            return LOST
    return WAITS


def again_s(err: KitError, kind: str, times: int) -> float | None:
    """Seconds until a call is made again that has so failed so many times; None: never."""
    backoff = min(LONGEST_S, 2.0 ** min(times, 10) * _JITTER.uniform(0.75, 1.25))
    if kind in MOST:
        return backoff if times < MOST[kind] else None
    pause = pause_s(err)
    return None if pause is None else max(pause, backoff)


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
