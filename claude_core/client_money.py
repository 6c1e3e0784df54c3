"""One client's money in one worker: a reservation, and the single writer that replaces it."""

import asyncio
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field

from claude_core.budget import Budget
from claude_core.errors import KitError
from claude_core.reservation import NOTHING, Spent, new_id
from claude_core.rolled import written
from claude_core.rolling import Roll, Want
from claude_core.row import MOST_GONE, Row, month_of
from claude_core.usage import Usage

LINGER_S = 0.05
"""That a write waits for others to go along."""
TOGETHER = 50
"""Calls that are admitted by one write at most."""
CHAIN = dt.timedelta(minutes=4)
"""After so long a new reservation is begun: what is open for longer than a call takes was left
behind by a crash, and `kit budget` lists it by its age."""
SETTLED_WITHIN_S = 10.0


@dataclass(slots=True)
class Chain:
    """A reservation and those that replace it: one month's, and of one time."""

    began: dt.datetime
    month: str
    stem: str
    id: str | None = None
    open: int = 0
    given_back: int = 0
    """Still to be given back, by the next write."""
    ended: "list[tuple[int, Spent, asyncio.Future[None]]]" = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Share:
    """What one call may cost, out of its worker's reservation."""

    want: Want
    row: Row
    """The client's, when it was taken."""
    _chain: Chain
    _client: "ClientMoney"

    async def settle(self, cost: int, usage: Usage = NOTHING) -> bool:
        """Charge what a call came to; False: that is not written yet, and is tried on."""
        done, _ = await asyncio.wait([self.charge(cost, usage)], timeout=SETTLED_WITHIN_S)
        return bool(done)

    def charge(self, cost: int, usage: Usage = NOTHING) -> "asyncio.Future[None]":
        """The same, without waiting for it."""
        settled: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        spent = Spent(self.want.model, cost, usage)
        self._chain.ended.append((self.want.cost, spent, settled))
        self._client.wake()
        return settled


class ClientMoney:
    """One client's: a single writer, so that each reservation has one successor."""

    def __init__(self, budget: Budget, id: str, now: Callable[[], dt.datetime]) -> None:
        self._budget, self._id, self._now = budget, id, now
        self._wants: list[tuple[Want, asyncio.Future[Share]]] = []
        self._chains: list[Chain] = []
        self._row: Row | None = None
        self._writing: asyncio.Task[None] | None = None

    async def reserve(self, want: Want) -> Share:
        admitted: asyncio.Future[Share] = asyncio.get_running_loop().create_future()
        self._wants.append((want, admitted))
        self.wake()
        try:
            return await admitted
        except asyncio.CancelledError:
            if admitted.done() and not admitted.cancelled() and admitted.exception() is None:
                admitted.result().charge(0)
            raise

    def wake(self) -> None:
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())

    async def idle(self) -> None:
        if self._writing is not None:
            await self._writing

    async def _write(self) -> None:
        try:
            await self._write_all()
        except Exception as err:
            # Nobody may wait for a writer that is no more.
            for _, admitted in self._wants:
                if not admitted.done():
                    admitted.set_exception(err)
            self._wants = []
            raise

    async def _write_all(self) -> None:
        while self._wants or any(chain.ended or chain.given_back for chain in self._chains):
            await asyncio.sleep(LINGER_S)
            chain = self._current()
            for old in [one for one in self._chains if one is not chain]:
                if old.ended or old.given_back:
                    await self._roll(old, [])
            wants = [one for one in self._wants if not one[1].cancelled()]
            self._wants = wants[TOGETHER:]
            await self._roll(chain, wants[:TOGETHER])
            self._chains = [one for one in self._chains if one is chain or one.open]

    def _current(self) -> Chain:
        """The chain that new calls belong to."""
        now = self._now()
        if self._chains:
            chain = self._chains[-1]
            if now - chain.began < CHAIN and chain.month == month_of(now):
                return chain
        stem = new_id(now)[:8]
        self._chains.append(Chain(now, month_of(now), stem))
        return self._chains[-1]

    async def _roll(self, chain: Chain, wants: "list[tuple[Want, asyncio.Future[Share]]]") -> None:
        """Write what has ended and admit what is wanted; where that is refused, fewer at once."""
        ended, chain.ended = chain.ended, []
        back, chain.given_back = chain.given_back, 0
        if not wants and not ended and not back:
            return
        given_back = back + sum(cost for cost, _, _ in ended)
        total = chain.open - given_back + sum(want.cost for want, _ in wants)
        now = self._now()
        gone = self._row.outdated(now)[:MOST_GONE] if self._row and ended else ()
        roll = Roll(
            now=now,
            month=chain.month,
            old=chain.id,
            new=f"{chain.stem}{new_id(now)[8:]}" if total else None,
            open=total,
            wants=[want for want, _ in wants],
            given_back=given_back,
            spent=[spent for _, spent, _ in ended],
            gone=[name for name in gone if not name.endswith(chain.month)],
        )
        row, refused = await written(
            self._budget, self._id, roll, on_trouble=lambda err: tell(wants, err)
        )
        if refused is None:
            chain.id, chain.open, self._row = roll.new, total, row
            for _, _, settled in ended:
                if not settled.done():
                    settled.set_result(None)
            for want, admitted in wants:
                if admitted.done():  # cancelled, or told that nothing is known: it has left
                    chain.given_back += want.cost
                else:
                    admitted.set_result(Share(want, row, chain, self))
            if ended:
                await self._budget.after(row, chain.month, roll.now)
            return
        chain.ended, chain.given_back = ended + chain.ended, back + chain.given_back
        if not wants:
            # The reservation is gone: somebody has released it by hand.
            chain.id, chain.open = None, 0
            for _, _, settled in chain.ended:
                if not settled.done():
                    settled.set_result(None)
            chain.ended = []
        elif len(wants) == 1:
            if not wants[0][1].done():
                wants[0][1].set_exception(refused)
            await self._roll(chain, [])
        else:
            half = len(wants) // 2
            await self._roll(chain, wants[:half])
            await self._roll(chain, wants[half:])


def tell(wants: "list[tuple[Want, asyncio.Future[Share]]]", err: KitError) -> None:
    """End the wait of those who want to be admitted; what is taken for them all the same goes
    back."""
    for _, admitted in wants:
        if not admitted.done():
            admitted.set_exception(err)
