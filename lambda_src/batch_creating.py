"""Claude is asked for a batch, once: the intent says so before, and what came of it after."""

from collections.abc import Callable

from claude_core.errors import (
    ConnectFailed,
    KitError,
    Overloaded,
    RateLimited,
    SpendCapReached,
    Unavailable,
    UpstreamRefused,
)
from claude_core.message_batches import MessageBatch, MessageBatches
from claude_core.telemetry import Telemetry
from lambda_src.batch_ends import Ends
from lambda_src.batch_intents import Intent, Intents, Stage
from lambda_src.batch_line import Line
from lambda_src.batch_messages import Poll, Post
from lambda_src.batch_money import Bill
from lambda_src.batch_releasing import Releasing
from lambda_src.batch_requests import Part, Unasked, body
from lambda_src.batch_time import Time

END_S = 20.0
"""Of the function's time, kept for what comes after Claude's answer."""
FIRST_LOOK_S = 60.0
REFUSALS = (UpstreamRefused, RateLimited, Overloaded, SpendCapReached, ConnectFailed, Unavailable)
"""After these there is no batch; after any other error there may be one."""
TIMED_OUT = 408
OF_ITS_PARTS = (400, 413)
"""Claude's word on a batch that a smaller one may not get."""
LONGEST_PAUSE_S = 900.0


class Creating:
    """Raises AwsUnreachable: what is left is found by the intent's poll message."""

    def __init__(
        self,
        *,
        intents: Intents,
        batches: MessageBatches,
        releasing: Releasing,
        ends: Ends,
        post: Post,
        telemetry: Telemetry,
        now: Callable[[], float],
    ) -> None:
        self._intents, self._batches, self._releasing = intents, batches, releasing
        self._ends, self._post, self._telemetry, self._now = ends, post, telemetry, now

    async def create(self, intent: Intent, line: Line, bill: Bill, time: Time) -> float | None:
        """Ask for a batch of the parts that are paid for.

        Returns:
            For how long the line is to be left alone, if Claude says so.
        """
        within_s, now = time.left_s - END_S, self._now()
        sending = await self._intents.move(
            intent,
            Stage.SENDING,
            jobs={"N": str(len(bill.kept))},
            held={"M": {client: {"N": str(cost)} for client, cost in bill.held.items()}},
            sent_at={"N": str(int(now))},
            sent_by={"N": str(int(now + within_s) + 1)},
        )
        if sending is None:
            return None  # its lease was over, and all of it is put back
        try:
            batch = await self._batches.create(body(bill.kept), within_s=within_s)
        except KitError as err:
            if _refused(err):
                return await self._refusal(sending, line, bill.kept, err)
            self._telemetry.trouble(f"a batch may have been made, or not: {type(err).__name__}")
            await self._look_later(sending, FIRST_LOOK_S)
        else:
            line.accepted()
            await self.created(sending, batch)
            await self._look_later(sending, FIRST_LOOK_S)
        return None

    async def created(self, intent: Intent, batch: MessageBatch) -> Intent | None:
        """Note which batch it is."""
        self._telemetry.count(batches_created=1)
        await self._intents.own(intent, batch.id)
        return await self._intents.move(intent, Stage.CREATED, batch_id={"S": batch.id})

    async def leave(self, intent: Intent, parts: list[Part]) -> None:
        """Put back what a batch holds that is not made."""
        releasing = await self._intents.move(intent, Stage.RELEASING)
        if releasing:
            again_s = await self._releasing.release(releasing, [part.job for part in parts])
            if again_s is not None:
                await self._look_later(releasing, again_s)

    async def _refusal(
        self, intent: Intent, line: Line, parts: list[Part], err: KitError
    ) -> float | None:
        pause_s = 0.0
        if isinstance(err, UpstreamRefused) and err.status in OF_ITS_PARTS:
            if len(parts) == 1:
                await self._ends.refuse(intent.id, [Unasked(parts[0].job, err)])
                parts = []
            line.most = max(1, len(parts) // 2)
        else:
            self._telemetry.trouble(f"Claude refused a batch: {type(err).__name__}")
            line.refusals += 1
            pause_s = min(LONGEST_PAUSE_S, FIRST_LOOK_S * 2.0 ** (line.refusals - 1))
        await self.leave(intent, parts)
        return max(pause_s, err.retry_after_s or 0.0)

    async def _look_later(self, intent: Intent, delay_s: float) -> None:
        later = intent.turn + 1
        await self._post.poll(Poll(intent.id, later), delay_s)
        await self._intents.rest(intent, later)


def _refused(err: KitError) -> bool:
    return isinstance(err, REFUSALS) and err.status != TIMED_OUT
