"""A batch's money: one reservation for each client, of all that its jobs can cost.

Where that is too much, as many of the jobs are kept as there is money for.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from claude_core.admission import usd
from claude_core.budget import Budget
from claude_core.each import each
from claude_core.errors import InvalidRequest, OverBudget, Refused, Stopped, TooMany
from claude_core.extras import says
from claude_core.models import NANO
from lambda_src.batch_intents import Intent
from lambda_src.batch_requests import Part, Unasked

TRIES = 5
"""For one client, each with less: others spend its money meanwhile."""
STOPPED_S, SHORT_S, BUSY_S = 300.0, 900.0, 60.0
"""That a client rests while all are stopped, while its money is with open calls, and after too many
requests of one minute."""
CLIENTS_AT_ONCE = 8


@dataclass(slots=True)
class Bill:
    """What became of the parts."""

    kept: list[Part] = field(default_factory=list)
    held: dict[str, int] = field(default_factory=dict)
    """Nano-dollars taken, by client."""
    back: list[Part] = field(default_factory=list)
    """They wait for another batch."""
    refused: list[Unasked] = field(default_factory=list)
    resting: dict[str, float] = field(default_factory=dict)
    """Until when no jobs of a client need be taken."""


class Money:
    """Takes it. Raises AwsUnreachable: something may be taken, which the intent's release finds."""

    def __init__(self, budget: Budget, now: Callable[[], float]) -> None:
        self._budget, self._now = budget, now

    async def reserve(self, intent: Intent, parts: list[Part]) -> Bill:
        """Take the worst cost of each client's parts, or of as many as there is money for."""
        bill, by_client = Bill(), defaultdict[str, list[Part]](list)
        for part in parts:
            by_client[part.job.client].append(part)

        async def one(client: str) -> None:
            await self._reserve(intent, client, by_client[client], bill)

        await each(by_client, one, at_once=CLIENTS_AT_ONCE)
        return bill

    async def _reserve(self, intent: Intent, client: str, parts: list[Part], bill: Bill) -> None:
        for _ in range(TRIES):
            if not parts:
                return
            cost = sum(part.cost for part in parts)
            needs = frozenset[str]().union(*(part.needs for part in parts))
            try:
                reserved = await self._budget.reserve(
                    client, parts[0].model, cost, needs=needs, id=intent.reservation
                )
            except OverBudget as err:
                parts = self._fitting(err, client, parts, bill)
            except InvalidRequest as err:
                parts = _permitted(err, parts, bill)
            except (TooMany, Stopped) as err:
                wait_s = STOPPED_S if isinstance(err, Stopped) else err.retry_after_s or BUSY_S
                bill.resting[client] = self._now() + wait_s
                break
            except Refused as err:
                bill.refused += [Unasked(part.job, err) for part in parts]
                return
            else:
                bill.held[client] = reserved.held.cost
                bill.kept += parts
                return
        bill.back += parts

    def _fitting(self, err: OverBudget, client: str, parts: list[Part], bill: Bill) -> list[Part]:
        """Those that there is money for; what waiting helps waits, and the rest is refused."""
        told = err.budget or {}
        limit, spent, reserved = (
            round(told[name] * NANO) for name in ("limit_usd", "spent_usd", "reserved_usd")
        )
        left, fitting = limit - spent - reserved, list[Part]()
        for part in parts:
            if part.cost <= left:
                left -= part.cost
                fitting.append(part)
            elif spent + part.cost <= limit:
                bill.back.append(part)
                bill.resting[client] = self._now() + SHORT_S
            else:
                words = (
                    f"{told['name']}: limit {usd(limit)}, spent {usd(spent)}, and this job may "
                    f"cost {usd(part.cost)}; resets {told['resets_at'][:10]} 00:00 UTC"
                )
                bill.refused.append(Unasked(part.job, OverBudget(words)))
        return fitting


def _permitted(err: InvalidRequest, parts: list[Part], bill: Bill) -> list[Part]:
    """Those that do not need what the client may not use, which the error names."""
    kept = list[Part]()
    for part in parts:
        if any(says(need) == err.message for need in part.needs):
            bill.refused.append(Unasked(part.job, err))
        else:
            kept.append(part)
    return kept
