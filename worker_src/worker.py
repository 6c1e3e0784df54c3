"""The worker: takes as many messages as it can start, and ends without losing one."""

import asyncio
from collections.abc import Callable

from claude_core.aws import AwsRefused
from claude_core.errors import AwsUnreachable
from claude_core.incoming import Incoming
from claude_core.jobs.queue_message import Pointer
from claude_core.jobs.sqs import TOGETHER, Message, Queue
from claude_core.telemetry import Telemetry
from worker_src.governor import LONGEST_SLEEP_S, Governor
from worker_src.leaving import Leaving
from worker_src.run import Run
from worker_src.slots import Slots
from worker_src.work import Work

POLL_S = 20
GATHER_S = 0.05
"""That a receive waits for more slots to get free, when few are."""
FULL_S = 5
"""Before a message that does not fit now comes again."""
REST_S = 1.0
"""After a receive that failed."""
LEAVES_S = 10.0
"""Of the drain, to release what has not ended."""


class Worker:
    """Empties one queue until it is told to drain."""

    def __init__(
        self,
        *,
        queue: Queue,
        dead_letters: Queue,
        work: Work,
        leaving: Leaving,
        slots: Slots,
        governor: Governor,
        telemetry: Telemetry,
        visibility_s: int,
        drain_s: float,
        now: Callable[[], float],
    ) -> None:
        self._queue, self._dead_letters = queue, dead_letters
        self._work, self._leaving = work, leaving
        self._slots, self._governor, self._telemetry = slots, governor, telemetry
        self._visibility_s, self._drain_s, self._now = visibility_s, drain_s, now
        self._runs: dict[str, Run] = {}
        self._oldest_s = 0.0
        self._draining = asyncio.Event()
        self.resting = False
        """Takes nothing new, until what it has has ended."""
        self.turned = now()
        """When it last looked for more, in seconds since the epoch."""

    def runs(self) -> list[Run]:
        return list(self._runs.values())

    def oldest_s(self) -> float:
        """The age of the oldest job of all that were seen since this was asked last. SQS's own
        metric leaves out what it has handed out three times: what waits for Claude."""
        ages = (self._now() - run.message.sent for run in self._runs.values())
        oldest_s, self._oldest_s = max([self._oldest_s, *ages]), 0.0
        return oldest_s

    def drain(self) -> None:
        """Take nothing more, and end."""
        self._draining.set()

    async def run(self) -> None:
        """Until a drain is over: everything has ended, or is back in the queue."""
        taking = asyncio.create_task(self._take())
        draining = asyncio.create_task(self._draining.wait())
        await asyncio.wait([taking, draining], return_when=asyncio.FIRST_COMPLETED)
        if not self._draining.is_set():
            draining.cancel()
            taking.result()  # nobody would take anything any more: it ends, and is replaced
        end = asyncio.get_running_loop().time() + self._drain_s
        # A receive that is cut off would hide what it was given for a whole visibility timeout.
        await asyncio.wait([taking], timeout=POLL_S + REST_S)
        taking.cancel()
        left_s = max(0.0, end - LEAVES_S - asyncio.get_running_loop().time())
        tasks = [run.task for run in self.runs() if run.task]
        if tasks:
            await asyncio.wait(tasks, timeout=left_s)
        for run in self.runs():
            if run.task:
                run.task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _take(self) -> None:
        while not self._draining.is_set():
            # Slots get free one by one: a request for each would cost more than the job does.
            free = await self._slots.free(TOGETHER, within_s=GATHER_S)
            self.turned = self._now()
            if self.resting:
                await asyncio.sleep(REST_S)
                continue
            # What comes may be for a model that nobody has paused: it is looked for now and then.
            await asyncio.sleep(min(self._governor.all_paused_s, LONGEST_SLEEP_S))
            try:
                messages = await self._queue.receive(
                    min(free, TOGETHER), wait_s=POLL_S, visibility_s=self._visibility_s
                )
            except (AwsRefused, AwsUnreachable) as err:
                self._telemetry.trouble(f"nothing could be received: {err}")
                await asyncio.sleep(REST_S)
                continue
            await self._start(messages)

    async def _start(self, messages: list[Message]) -> None:
        """Begin what fits; what does not, and what comes while draining, goes back."""
        back: list[tuple[str, int]] = []
        for message in messages:
            self._oldest_s = max(self._oldest_s, self._now() - message.sent)
            try:
                pointer = Pointer.from_text(message.body)
            except ValueError as err:
                await self._refuse(message, str(err))
                continue
            known = self._runs.get(pointer.job)
            if known is not None and known.message.id == message.id:
                known.handles.append(message.handle)
            elif known is not None:
                back.append((message.handle, self._visibility_s))
            elif self._draining.is_set():
                back.append((message.handle, 0))
            elif not self._slots.fits(pointer.client, pointer.bytes):
                back.append((message.handle, FULL_S))
            else:
                self._begin(message, pointer)
        if back:
            try:
                await self._queue.hide(back)
            except (AwsRefused, AwsUnreachable) as err:
                self._telemetry.trouble(f"messages come back late: {err}")

    def _begin(self, message: Message, pointer: Pointer) -> None:
        now = self._now()
        run = Run(message, pointer, beaten=now, held_until=now + self._visibility_s)
        self._runs[pointer.job] = run
        self._slots.take(pointer.client, pointer.bytes)
        run.task = asyncio.create_task(self._do(run))

    async def _do(self, run: Run) -> None:
        try:
            await self._work.do(run)
        except asyncio.CancelledError:
            await self._let_go(run)
        except (AwsRefused, AwsUnreachable) as err:
            # The message comes again when its time is over; the row says how far it came.
            self._telemetry.trouble(f"a job has to wait: {err}")
        except Exception as err:
            self._telemetry.crashed(Incoming(run.pointer.job), err)
        finally:
            del self._runs[run.pointer.job]
            self._slots.give_back(run.pointer.client, run.pointer.bytes)

    async def _let_go(self, run: Run) -> None:
        try:
            await self._leaving.let_go(run)
        except (AwsRefused, AwsUnreachable) as err:
            self._telemetry.trouble(f"a job is held until its lease ends: {err}")

    async def _refuse(self, message: Message, why: str) -> None:
        """A message that is none of ours goes to the dead letters, where somebody looks at it."""
        self._telemetry.trouble(f"{why}: moved to the dead letters")
        try:
            await self._dead_letters.send([message.body], group="unknown")
            await self._queue.delete([message.handle])
        except (AwsRefused, AwsUnreachable) as err:
            self._telemetry.trouble(f"it could not be moved: {err}")
