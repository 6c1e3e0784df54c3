"""A client's own limits, as every answer tells them."""

import datetime as dt
from dataclasses import dataclass

from claude_core.models import NANO
from claude_core.row import Row, minute_of, month_of, next_minute, next_month


@dataclass(frozen=True, slots=True)
class Limits:
    """What a client may do, and what is left of it, at one moment."""

    requests: int
    requests_left: int
    requests_reset: dt.datetime
    budget: int
    """Nano-dollars, as `budget_left`."""
    budget_left: int
    budget_reset: dt.datetime

    @classmethod
    def of(cls, row: Row, now: dt.datetime) -> "Limits":
        return cls(
            requests=row.rpm,
            requests_left=row.number(minute_of(now), row.rpm),
            requests_reset=next_minute(now),
            budget=row.budget,
            budget_left=row.left(month_of(now)),
            budget_reset=next_month(now),
        )

    def to_headers(self) -> dict[str, str]:
        """Named as Claude names its own; those of the budget are in USD."""
        return {
            "anthropic-ratelimit-requests-limit": str(self.requests),
            "anthropic-ratelimit-requests-remaining": str(self.requests_left),
            "anthropic-ratelimit-requests-reset": f"{self.requests_reset:%Y-%m-%dT%H:%M:%SZ}",
            "anthropic-ratelimit-budget-limit": f"{self.budget / NANO:.6f}",
            "anthropic-ratelimit-budget-remaining": f"{max(0, self.budget_left) / NANO:.6f}",
            "anthropic-ratelimit-budget-reset": f"{self.budget_reset:%Y-%m-%dT%H:%M:%SZ}",
        }
