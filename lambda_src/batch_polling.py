"""A batch is looked at when its poll message comes: it goes on from wherever it stands.

Each look sends the message of the next one, so nothing runs where nothing is pending. A duplicate
finds another's lease, and comes again later, or a later turn, and is dropped.
"""

from collections.abc import Callable

from claude_core.errors import KitError, UpstreamRefused
from claude_core.jobs.claims import Held
from claude_core.message_batches import MessageBatches
from claude_core.telemetry import Telemetry
from lambda_src.batch_adopting import Adopting
from lambda_src.batch_creating import Creating
from lambda_src.batch_intents import Intent, Intents, Stage
from lambda_src.batch_messages import Poll, Post, named
from lambda_src.batch_releasing import Releasing
from lambda_src.batch_results import Results
from lambda_src.batch_time import Time

AT_ONCE_S = 2.0
"""For a look that must not come before this one has let go."""
SOONEST_S, LATEST_S = 60.0, 900.0
"""Between two looks: a tenth of the batch's age, within these."""
UNSEEN_S, SOON_S = 600.0, 30.0
"""For so long a new batch may not be found; it is looked for so often."""
OVERDUE_S = 24 * 3_600 + 900
"""Claude ends a batch after a day, whatever is done by then."""


class Polling:
    """Raises AwsUnreachable: the message comes again by itself."""

    def __init__(
        self,
        *,
        intents: Intents,
        batches: MessageBatches,
        creating: Creating,
        adopting: Adopting,
        releasing: Releasing,
        results: Results,
        post: Post,
        telemetry: Telemetry,
        now: Callable[[], float],
    ) -> None:
        self._intents, self._batches, self._creating = intents, batches, creating
        self._adopting, self._releasing, self._results = adopting, releasing, results
        self._post, self._telemetry, self._now = post, telemetry, now

    async def poll(self, poll: Poll, time: Time) -> None:
        """Look at a batch, and send for the next look, unless it is over."""
        intent = await self._intents.take(poll.intent, poll.turn, lease_s=time.lease_s)
        if intent is None:
            return
        if isinstance(intent, Held):
            await self._post.poll(poll, intent.left_s + 1)
            return
        try:
            again_s = await self._look(intent, time)
        except KitError as err:
            # Whoever failed, AWS or Claude: all that is done here can be done again.
            self._telemetry.trouble(f"a batch has to wait: {named(err)}")
            again_s = max(SOONEST_S, err.retry_after_s or 0.0)
        if again_s is not None:
            # First: if it ended between the two nobody would look any more.
            await self._post.poll(Poll(intent.id, intent.turn + 1), max(again_s, AT_ONCE_S))
            await self._intents.rest(intent, intent.turn + 1)

    async def _look(self, intent: Intent, time: Time) -> float | None:
        """Seconds until the next look; None: it is over."""
        match intent.stage:
            case Stage.CLAIMING:  # whoever put it together is gone
                await self._creating.leave(intent, [])
                return None
            case Stage.SENDING:
                return await self._adopt(intent)
            case Stage.RELEASING:
                return await self._releasing.release(intent)
            case _:
                return await self._follow(intent, time)

    async def _adopt(self, intent: Intent) -> float | None:
        found = await self._adopting.find(intent)
        if found is None and self._now() - intent.sent_by > UNSEEN_S:
            await self._creating.leave(intent, [])
            return None
        if found is None or found.batch is None:
            return self._pause_s(intent)
        await self._creating.created(intent, found.batch)
        return 0.0

    async def _follow(self, intent: Intent, time: Time) -> float | None:
        age_s = self._now() - intent.sent_at
        try:
            batch = await self._batches.get(intent.batch_id)
            if batch.ended:
                return None if await self._results.take(intent, batch, time) else 0.0
        except UpstreamRefused as err:
            if err.status != 404:
                raise
            if age_s < UNSEEN_S:
                return SOON_S
            self._telemetry.trouble(f"Claude does not find the batch {intent.batch_id}")
            return LATEST_S
        if age_s > OVERDUE_S:
            self._telemetry.count(batches_overdue=1)
        return self._pause_s(intent)

    def _pause_s(self, intent: Intent) -> float:
        return max(SOONEST_S, min(LATEST_S, (self._now() - intent.sent_at) / 10))
