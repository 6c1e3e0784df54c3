"""A batch is put together: its jobs are claimed, and their money is taken.

Whatever ends this half-way: the intent's poll message comes after its lease, and finds all that was
claimed and taken by the intent's name.
"""

from claude_core.each import each
from claude_core.errors import AwsUnreachable
from claude_core.jobs.batched import Batched
from claude_core.jobs.files import Files
from claude_core.jobs.job import Job
from lambda_src import batch_requests
from lambda_src.batch_creating import END_S, Creating
from lambda_src.batch_ends import Ends
from lambda_src.batch_intents import Intent, Intents
from lambda_src.batch_line import Line
from lambda_src.batch_messages import Poll, Post
from lambda_src.batch_money import Money
from lambda_src.batch_requests import Asked, Unasked
from lambda_src.batch_time import Time

SAFETY_S = 30.0
"""After its lease an intent is looked at, whatever has become of who held it."""


class Assembling:
    """Raises AwsUnreachable."""

    def __init__(
        self,
        *,
        files: Files,
        batched: Batched,
        money: Money,
        ends: Ends,
        intents: Intents,
        creating: Creating,
        post: Post,
    ) -> None:
        self._files, self._batched, self._money, self._ends = files, batched, money, ends
        self._intents, self._creating, self._post = intents, creating, post

    async def make(self, line: Line, jobs: list[Job], time: Time) -> float | None:
        """Make a batch of jobs of a line that is held.

        Returns:
            For how long the line is to be left alone, if Claude says so.
        """
        await self._post.poll(Poll(line.holder), time.lease_s + SAFETY_S)
        intent = await self._intents.begin(line.holder, line.model, lease_s=time.lease_s)
        asked, unasked = await self._claim(intent, jobs, time)
        parts, unserved = batch_requests.parts(intent.id, asked)
        bill = await self._money.reserve(intent, parts)
        for client in bill.held:
            line.resting.pop(client, None)
        line.resting |= bill.resting
        await self._ends.refuse(intent.id, [*unasked, *unserved, *bill.refused])
        await each(
            bill.back, lambda part: self._batched.back(part.job, intent.id, model=line.model)
        )
        if not bill.kept or time.left_s < 2 * END_S:
            await self._creating.leave(intent, bill.kept)
            return None
        return await self._creating.create(intent, line, bill, time)

    async def _claim(
        self, intent: Intent, jobs: list[Job], time: Time
    ) -> tuple[list[Asked], list[Unasked]]:
        """What the jobs ask that could be claimed, the oldest first; and those of which it is
        gone."""
        asked: list[Asked] = []
        unasked: list[Unasked] = []

        async def claim(found: Job) -> None:
            if time.left_s < 3 * END_S:
                return
            job = await self._batched.claim(found.id, model=intent.model, intent=intent.id)
            if job is None:
                return
            try:
                one = await batch_requests.read(self._files, job)
            except AwsUnreachable:
                # One file that cannot be read holds up no others.
                await self._batched.back(job, intent.id, model=intent.model)
                return
            asked.append(one) if isinstance(one, Asked) else unasked.append(one)

        await each(jobs, claim)
        asked.sort(key=lambda one: one.job.place)
        return asked, unasked
