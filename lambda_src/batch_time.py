"""How long a call of the function has left."""

import asyncio
from dataclasses import dataclass

MARGIN_S = 15.0
"""That a lease outlives its call: clocks differ, and requests are on their way."""


@dataclass(frozen=True, slots=True)
class Time:
    """One call's; it is ended by force when it is over."""

    ends: float
    """On the event loop's clock."""

    @classmethod
    def of(cls, left_s: float) -> "Time":
        return cls(asyncio.get_running_loop().time() + left_s)

    @property
    def left_s(self) -> float:
        return self.ends - asyncio.get_running_loop().time()

    @property
    def lease_s(self) -> float:
        """For what only this call may write."""
        return self.left_s + MARGIN_S
