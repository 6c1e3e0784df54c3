"""What becomes of a job whose attempt has failed: one table, from the kind of error."""

import random
from dataclasses import dataclass

from claude_core.errors import (
    AnswerLost,
    ConnectFailed,
    DeadlinePassed,
    KitError,
    Overloaded,
    RateLimited,
    UpstreamBroken,
)
from claude_core.jobs.claims import ATTEMPTS, FREE_FAILURES
from claude_core.jobs.job import Job, Status
from claude_core.jobs.sqs import LONGEST_VISIBILITY_S
from claude_core.retry import pause_s
from worker_src.governor import Wait

RECEIVES_S, LONGEST_FLOOR_S = 2, 900
"""A message that has come n times waits 2n seconds at least, up to 15 minutes: its queue gives it
up at a thousand receipts, which are more than a week then."""
OLDEST_S = 7 * 86_400
"""A job that has waited so long fails: its message would be dropped by the queue after 14 days."""
LATE = "Claude took longer than a job has; ask for less, or mark it long"


@dataclass(frozen=True, slots=True)
class Later:
    """Back to the queue, visible after `delay_s`."""

    delay_s: float
    counts: bool = False
    """As one of the job's attempts."""
    failed: bool = False
    """Claude failed, and billed nothing: these are counted apart."""


@dataclass(frozen=True, slots=True)
class End:
    """No other attempt is made."""

    status: Status
    type: str
    message: str


def fate_of(err: KitError, job: Job, *, refused_s: float = 0.0) -> Later | End:
    """What becomes of a claimed job.

    Args:
        refused_s: the pause of its model's line, after Claude has refused it for now.
    """
    match err:
        case RateLimited() | Overloaded():
            return Later(max(refused_s, pause_s(err) or 0.0))
        case Wait():
            return Later(err.retry_after_s or 5.0)
        case UpstreamBroken() | ConnectFailed():
            failures = int(job.failures or 0) + 1
            if failures >= FREE_FAILURES:
                return _dead(err, f"Claude failed {failures} times")
            return Later(min(900.0, 2.0**failures), failed=True)
        case DeadlinePassed():
            return End(Status.FAILED, err.type, LATE)
        case AnswerLost():
            return after_crash(job, err)
    pause = pause_s(err)
    return End(Status.FAILED, err.type, err.message) if pause is None else Later(pause)


def after_crash(job: Job, err: KitError) -> Later | End:
    """The same, for what may have cost money or should not happen: an attempt is used up."""
    if job.attempts >= ATTEMPTS:
        return _dead(err, f"{job.attempts} attempts failed")
    return Later(5.0 * 2.0 ** int(job.attempts), counts=True)


def _dead(err: KitError, what: str) -> End:
    return End(Status.DEAD, err.type, f"{what}; the last one: {err.message}")


def exhausted(job: Job) -> End:
    """For a job that has no attempt left when it comes."""
    crashes = f", {job.crashes} of them with the worker" if job.crashes else ""
    return End(
        Status.DEAD, "api_error", f"{job.attempts} attempts ended without an answer{crashes}"
    )


def hidden_s(delay_s: float, receives: int, rand: random.Random) -> int:
    """For how long a message is hidden: the delay, and some jitter, so that those that failed
    together do not come back together."""
    delay = max(delay_s, min(LONGEST_FLOOR_S, RECEIVES_S * receives))
    return min(LONGEST_VISIBILITY_S, round(delay + rand.random() * min(30.0, 1 + delay / 2)))


def shortly_after_s(left_s: float, rand: random.Random) -> int:
    """For how long a message is hidden whose job is another's: until that lease is over."""
    return min(LONGEST_VISIBILITY_S, 1 + round(left_s + rand.random() * 2))
