"""Jobs of a model wait: the oldest of its line become a batch, and somebody looks again later."""

import secrets
import string
from collections.abc import Callable
from random import Random

from claude_core.jobs.sqs import LONGEST_DELAY_S
from lambda_src.batch_assembling import Assembling
from lambda_src.batch_line import Busy, Line, Lines
from lambda_src.batch_messages import Post, Wake
from lambda_src.batch_time import Time
from lambda_src.batch_waiting import Chosen, Waiting

LOOK_AGAIN_S = 60.0
"""After a look: what came meanwhile is in the index then. One batch a minute, but for full ones."""
EARLIER_S = 15.0
"""That a line is free before its wake-up comes: clocks differ."""
SOON_S = 2.0
"""For a wake-up that must not come before the line is free."""
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
        """Look after a model's line. Of those that come meanwhile one comes again later: it looks
        after the jobs of all."""
        intent = "".join(self._rand.choices(ALPHABET, k=ID_LENGTH))
        line = await self._lines.take(wake.model, intent, lease_s=time.lease_s)
        if isinstance(line, Busy):
            if not line.looked_after:
                again_s = min(line.left_s + 1, LOOK_AGAIN_S)
                await self._post.wake(wake, again_s)
                await self._lines.expect(wake.model, self._now() + again_s)
            return
        chosen = await self._waiting.choose(line)
        pause_s = await self._assembling.make(line, chosen.jobs, time) if chosen.jobs else None
        await self._leave(line, *self._next(wake, chosen, pause_s))

    def _next(
        self, wake: Wake, chosen: Chosen, pause_s: float | None
    ) -> tuple[float | None, float]:
        """Seconds until the line is looked at again (None: a new job's wake-up does), and for how
        many of them it is closed."""
        if pause_s is not None:
            next_s = min(max(pause_s, SOON_S), LONGEST_DELAY_S)
            return next_s, next_s - EARLIER_S
        if chosen.more:
            return SOON_S, 0.0
        if chosen.jobs:
            return LOOK_AGAIN_S, LOOK_AGAIN_S - EARLIER_S
        if not wake.again:
            return LOOK_AGAIN_S, 0.0
        if chosen.rests_until is None:
            return None, 0.0
        rest_s = chosen.rests_until - self._now()
        return min(max(rest_s, LOOK_AGAIN_S), LONGEST_DELAY_S), 0.0

    async def _leave(self, line: Line, next_s: float | None, closed_s: float) -> None:
        now = self._now()
        line.resting = {who: until for who, until in line.resting.items() if until > now - DAY_S}
        if next_s is not None:
            # First: if it ended between the two the line would be left, and nobody would look.
            await self._post.wake(Wake(line.model, again=True), next_s)
        due = None if next_s is None else now + next_s
        await self._lines.leave(line, free_at=now + max(0.0, closed_s), due=due)
