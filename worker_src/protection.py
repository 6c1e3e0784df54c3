"""ECS may not scale a task in that works: it protects itself, and empties itself after a while."""

from collections.abc import Callable

import httpx2

MINUTES = 15
"""Of one protection: it ends by itself if this process does."""
RENEW_S = 300.0
LONGEST_S = 3_600.0
"""Then the task takes nothing new, until it is empty and can go: protection blocks deployments.
What it has is still protected: a job of an hour that was begun late must not be cut off."""
PATH = "/task-protection/v1/state"


class Protection:
    """One task's, through the agent beside it; without an agent there is nothing to do."""

    def __init__(
        self,
        http: httpx2.AsyncClient,
        agent_url: str | None,
        *,
        now: Callable[[], float],
        trouble: Callable[[str], None],
    ) -> None:
        self._http, self._now, self._trouble = http, now, trouble
        self._url = agent_url + PATH if agent_url else None
        self._since: float | None = None
        self._renewed = float("-inf")

    async def hold(self, *, busy: bool) -> bool:
        """Protect the task while it is busy; True: for too long, and it is to empty itself."""
        now = self._now()
        if not busy:
            if self._since is not None:
                self._since = None
                await self._put({"ProtectionEnabled": False})
            return False
        if self._since is None:
            self._since = now
            self._renewed = float("-inf")
        if now - self._renewed >= RENEW_S:
            self._renewed = now
            await self._put({"ProtectionEnabled": True, "ExpiresInMinutes": MINUTES})
        return now - self._since >= LONGEST_S

    async def _put(self, state: dict[str, object]) -> None:
        if self._url is None:
            return
        try:
            answer = await self._http.put(self._url, json=state, timeout=5.0)
            answer.raise_for_status()
        except httpx2.HTTPError as err:
            self._trouble(f"the task's protection could not be changed: {type(err).__name__}")
