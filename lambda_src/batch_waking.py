"""Jobs of a model wait: the oldest of its line become a batch, and somebody looks again later."""

import secrets
import string
from collections.abc import Callable
from random import Random

from claude_core.jobs.claims import Held
from lambda_src.batch_assembling import Assembling
from lambda_src.batch_line import Line, Lines
from lambda_src.batch_messages import Post, Wake
from lambda_src.batch_time import Time
from lambda_src.batch_waiting import Chosen, Waiting

LOOK_AGAIN_S = 60.0
"""After a look: what came meanwhile is in the index then. One batch a minute, but for full ones."""
EARLIER_S = 15.0
"""That a line is free before its wake-up comes: clocks differ."""
DAY_S = 86_400.0
ALPHABET, ID_LENGTH = string.ascii_lowercase + string.digits, 16


class Waking:
    """Raises AwsUnreachable: the wake-up comes again by itself."""

    def __init__(
        self,
        *,
        lines: Lines,
        waiting: Waiting,
        assembling: Assembling,
        post: Post,
        now: Callable[[], float],
        rand: Random | secrets.SystemRandom,
    ) -> None:
        self._lines, self._waiting, self._assembling = lines, waiting, assembling
        self._post, self._now, self._rand = post, now, rand

    async def wake(self, wake: Wake, time: Time) -> None:
        """Look after a model's line; a second one who comes meanwhile comes again later."""
        intent = "".join(self._rand.choices(ALPHABET, k=ID_LENGTH))
        line = await self._lines.take(wake.model, intent, lease_s=time.lease_s)
        if isinstance(line, Held):
            await self._post.wake(wake, line.left_s + 1)
            return
        chosen = await self._waiting.choose(line)
        pause_s = await self._assembling.make(line, chosen.jobs, time) if chosen.jobs else None
        await self._leave(line, self._next_s(wake, line, chosen, pause_s))

    def _next_s(
        self, wake: Wake, line: Line, chosen: Chosen, pause_s: float | None
    ) -> float | None:
        """Seconds until the line is looked at again; None: a new job's wake-up does."""
        if pause_s is not None:
            return pause_s
        if chosen.more:
            return 0.0
        if chosen.jobs or not wake.again:
            return LOOK_AGAIN_S
        rests = chosen.rests_until
        return None if rests is None else max(LOOK_AGAIN_S, rests - self._now())

    async def _leave(self, line: Line, next_s: float | None) -> None:
        """The row first: a wake-up must find the line free."""
        now = self._now()
        line.resting = {who: until for who, until in line.resting.items() if until > now - DAY_S}
        await self._lines.leave(line, free_at=now + max(0.0, (next_s or 0.0) - EARLIER_S))
        if next_s is not None:
            await self._post.wake(Wake(line.model, again=True), next_s)
