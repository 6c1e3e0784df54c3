"""The one place that decides whether a call to Claude is made again, and when.

`RetryBudget` is for a caller that waits; `pause_s` for work that its queue tries again.
"""

import random
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime

from claude_core.errors import (
    AwsUnreachable,
    ConnectFailed,
    KeyMissing,
    KeyRejected,
    KitError,
    OverBudget,
    Overloaded,
    RateLimited,
    SpendCapReached,
    Stopped,
    TooMany,
    UpstreamBroken,
    UpstreamFailed,
)

ATTEMPTS = 3
FIRST_DELAY_S = 0.5
SHARE = 0.1
"""Retries that a call earns: a tenth, so that an outage is not made worse by us."""
SAVED = 10.0
"""Retries that may be saved up in quiet times."""
STOPPED_S, KEY_S, CAP_S = 60.0, 60.0, 900.0
"""Before the next try while all are stopped, the key is wrong, or Claude's spend cap is reached."""

# Of the operating system: environments restored from one snapshot would share any other.
_JITTER = random.SystemRandom()

# What is not in this table is never retried: it was refused, cannot succeed, or may be billed.
LATER = (RateLimited, Overloaded, UpstreamBroken, ConnectFailed)


class RetryBudget:
    """Retries of one process: each call earns a tenth of one, each retry spends one."""

    def __init__(
        self,
        rand: Callable[[], float] = _JITTER.random,
        *,
        first_delay_s: float = FIRST_DELAY_S,
        attempts: int = ATTEMPTS,
    ) -> None:
        """
        Args:
            attempts: 1 where a queue is the one that tries again.
        """
        self._left, self._rand, self._first_delay_s = SAVED, rand, first_delay_s
        self._attempts = attempts

    def earn(self) -> None:
        """Count a call."""
        self._left = min(SAVED, self._left + SHARE)

    def delay(self, error: UpstreamFailed, attempt: int, left_s: float) -> float | None:
        """Seconds to wait before the next attempt, or None: the error is the answer.

        Args:
            attempt: how many were made; left_s: seconds until the caller's deadline.
        """
        if not isinstance(error, LATER) or attempt >= self._attempts or self._left < 1:
            return None
        backoff: float = self._first_delay_s * 2.0 ** (attempt - 1) * (0.75 + self._rand() / 2)
        wait: float = backoff if error.retry_after_s is None else max(error.retry_after_s, backoff)
        if wait >= left_s:
            return None
        self._left -= 1
        return wait


def pause_s(err: KitError) -> float | None:
    """Seconds before work that nobody waits for is tried again, after what cost nothing and passes
    with time; None: it does not, or may have been paid."""
    match err:
        case RateLimited() | Overloaded():
            return max(err.retry_after_s or 0.0, 1.0)
        case TooMany() | AwsUnreachable():
            return err.retry_after_s or 5.0
        case OverBudget() if err.retry_helps:
            return err.retry_after_s or 5.0
        case Stopped():
            return STOPPED_S
        case KeyMissing() | KeyRejected():
            return KEY_S
        case SpendCapReached():
            return CAP_S
    return None


def retry_after_s(header: str | None, header_ms: str | None = None) -> float | None:
    """Seconds out of `retry-after` (a number or a date) or `retry-after-ms`; None where they say
    nothing usable."""
    for text, unit in ((header_ms, 1_000), (header, 1)):
        try:
            seconds = float(text or "") / unit
        except ValueError:
            continue
        if 0 <= seconds < float("inf"):
            return seconds
    try:
        wait = parsedate_to_datetime(header or "").timestamp() - time.time()
    except (ValueError, OverflowError):
        return None
    return max(0.0, wait)
