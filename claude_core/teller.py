"""A worker's money: reserved and settled for many calls by few writes (`rolling.py`)."""

import asyncio
import datetime as dt
from collections.abc import Callable

from claude_core.budget import Budget
from claude_core.client_money import ClientMoney, Share
from claude_core.rolling import Want


class Teller:
    """The money of all clients that one worker works for."""

    def __init__(
        self, budget: Budget, *, now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)
    ) -> None:
        self._budget, self._now = budget, now
        self._clients: dict[str, ClientMoney] = {}

    async def reserve(self, client: str, want: Want) -> Share:
        """Take a call's worst cost from a client that was proved when its job came in.

        Raises:
            NotAuthenticated, NotAllowed, InvalidRequest, OverBudget, TooMany, Stopped,
            AwsUnreachable: the call may not be made.
        """
        if client not in self._clients:
            self._clients[client] = ClientMoney(self._budget, client, self._now)
        return await self._clients[client].reserve(want)

    async def close(self) -> None:
        """Wait until all that has ended is settled."""
        await asyncio.gather(*(client.idle() for client in self._clients.values()))
