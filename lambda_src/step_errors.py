"""What becomes of a step that failed: tried again later, or told for good, the same each time."""

import random

from aws_durable_execution_sdk_python.config import Duration
from aws_durable_execution_sdk_python.retries import RetryDecision

from claude_core import errors
from claude_core.errors import AnswerLost, ConnectFailed, KitError, UpstreamBroken
from claude_core.jobs.claims import ATTEMPTS, FREE_FAILURES
from claude_core.retry import pause_s
from claude_core.wire import Json

LONGEST_S = 900.0
"""Between two attempts, unless somebody asks for more."""

# Of the operating system: environments restored from one snapshot would share any other.
_JITTER = random.SystemRandom()


class Later(Exception):
    """A step is tried again; until then the execution is suspended, and nothing is paid for."""

    def __init__(self, delay_s: float) -> None:
        super().__init__(f"again in {delay_s:.0f} s")
        self.delay_s = delay_s


def again_s(err: KitError, attempt: int) -> float | None:
    """Seconds until a call that has failed `attempt` times is made again; None: never."""
    backoff = min(LONGEST_S, 2.0**attempt) * _JITTER.uniform(0.75, 1.25)
    match err:
        case UpstreamBroken() | ConnectFailed() if attempt < FREE_FAILURES:
            return backoff
        case AnswerLost() if attempt < ATTEMPTS:
            return backoff
    pause = pause_s(err)
    return None if pause is None else max(pause, backoff)


def retry(err: Exception, _: int) -> RetryDecision:
    """The strategy of each step: it has been decided where it failed."""
    if isinstance(err, Later):
        return RetryDecision.retry(Duration.from_seconds(max(1, round(err.delay_s))))
    return RetryDecision.no_retry()


def told(err: KitError, cost: int) -> Json:
    """An error for the history of an execution, and the nano-dollars that it may have cost."""
    return {
        "name": type(err).__name__,
        "message": err.message,
        "status": err.status,
        "type": err.type,
        "budget": err.budget,
        "cost": cost,
    }


def heard(said: Json) -> KitError:
    """The error that `told` wrote down."""
    kind = getattr(errors, said["name"])
    failed: KitError = kind.__new__(kind)
    KitError.__init__(failed, said["message"])
    failed.status, failed.type, failed.budget = said["status"], said["type"], said["budget"]
    return failed
