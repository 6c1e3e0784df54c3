"""A batch that was not made, and never will be: its money is given back, its jobs wait again."""

from collections.abc import Iterable

from claude_core.budget import Budget
from claude_core.each import each
from claude_core.jobs.batched import Batched, ended_in
from claude_core.jobs.job import Job
from lambda_src.batch_ends import Ends
from lambda_src.batch_intents import Intent, Intents, Stage
from lambda_src.batch_messages import Post, Wake
from lambda_src.batch_waiting import Waiting

LOOK_AGAIN_S = 60
"""The index of the jobs that a batch holds follows the table within that time."""


class Releasing:
    """Raises AwsUnreachable: what is left is found by the next look."""

    def __init__(
        self,
        *,
        waiting: Waiting,
        batched: Batched,
        budget: Budget,
        ends: Ends,
        intents: Intents,
        post: Post,
    ) -> None:
        self._waiting, self._batched, self._budget = waiting, batched, budget
        self._ends, self._intents, self._post = ends, intents, post

    async def release(self, intent: Intent, known: Iterable[Job] = ()) -> float | None:
        """Let go of all that a batch holds; seconds until the next look, or None: nothing is left.

        Args:
            known: jobs that the index may not list yet.
        """
        held = {job.id: job for job in known} | await self._waiting.held(intent.id)
        # First the money: as long as a job is held it says whose there may be.
        clients = {job.client for job in held.values()} | intent.held.keys()
        await each(clients, lambda client: self._budget.give_back(client, intent.reservation))
        over: list[Job] = []

        async def put_back(job: Job) -> None:
            now = await self._batched.back(job, intent.id, model=intent.model)
            if now and ended_in(now, intent.id):
                over.append(now.light)

        await each(held.values(), put_back)
        await self._ends.tell_listed(intent.id, over)
        await self._post.wake(Wake(intent.model, again=True), LOOK_AGAIN_S)
        if held:
            return LOOK_AGAIN_S
        await self._intents.move(intent, Stage.VOID)
        return None
