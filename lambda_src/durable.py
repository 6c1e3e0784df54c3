"""The calls of a workflow as steps of a durable execution: what is done is never asked again.

Each attempt is a step of its own, which ends with what came of it, its cost included, and a pause
between two is a wait: a run that begins anew has all of it before it, and decides the same.
"""

import asyncio
import math
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from aws_durable_execution_sdk_python import DurableContext, StepContext, StepError
from aws_durable_execution_sdk_python.config import (
    CompletionConfig,
    Duration,
    MapConfig,
    StepConfig,
)
from aws_durable_execution_sdk_python.retries import RetryDecision

from claude_core.errors import DeadlinePassed, InvalidRequest, KitError
from claude_core.incoming import Incoming
from claude_core.messages import Request
from claude_core.reply import Reply
from claude_core.serve import Kit
from claude_core.telemetry import Telemetry
from claude_core.wire import Json, to_bytes
from claude_core.workflows import Limit, whole
from lambda_src.attempts import LOST, Compact, answer, failure, heard, kind_of, late
from lambda_src.step import WHOLE_S, Call, Time, asking, proving

STEP = StepConfig(retry_strategy=lambda _, __: RetryDecision.no_retry(), serdes=Compact())
"""A step that breaks is a defect of the code; what Claude does is no reason for one to break."""
MOST_TOGETHER = 100
"""Of Lambda's 3,000 operations of an execution a round takes two for each of them."""


class Steps:
    """What a durable workflow asks with. Its methods run on one event loop, and one at a time:
    steps are known again by the order in which they are begun."""

    def __init__(
        self,
        kit: Kit,
        incoming: Incoming,
        client: str,
        *,
        context: DurableContext,
        limit: Limit,
        time: Time,
    ) -> None:
        self._kit, self._incoming, self._client = kit, incoming, client
        self._telemetry: Telemetry = kit.telemetry
        self._context, self._limit, self._time = context, limit, time
        self._loop = asyncio.get_running_loop()
        self._open: asyncio.Future[Any] | None = None
        self._gone: BaseException | None = None
        """Why this run is over: what is done after that is none of the workflow."""
        self.told: KitError | None = None
        """The last that was raised; its attempt has counted it."""

    async def begin(self) -> None:
        """Prove the client, and count one request of its minute, once for all steps.

        Raises:
            NotAuthenticated, NotAllowed; KitError, as for any step.
        """
        await self._all([proving(self._kit, self._client)])

    async def __call__(self, request: Request) -> Reply:
        """One answer, asked for until it comes.

        Raises:
            OverBudget: it might cost more than is left for this work; Claude was not asked.
            KitError: it failed for good.
        """
        return (await self.together([request]))[0]

    async def together(self, requests: Sequence[Request]) -> list[Reply]:
        """Several at once, if there is money for all; those that fail for a while are asked again
        together. Raises as one does, of the first that failed for good: what was begun beside it
        has ended, and is kept."""
        ask = partial(asking, self._kit, self._incoming, self._client)
        if len(requests) > MOST_TOGETHER:
            raise InvalidRequest(f"{len(requests)} at once; {MOST_TOGETHER} are the most")
        found = await self._all([ask(whole(request)) for request in requests])
        return [Reply.from_bytes(to_bytes(message)) for message in found]

    async def ended(self) -> None:
        """Until nothing is open any more that the workflow did not wait for."""
        if opened := self._open:
            await asyncio.wait([opened])
        if self._gone:
            raise self._gone

    async def _all(self, calls: Sequence[Call]) -> list[Json]:
        """What is kept of each, after as many attempts as it takes."""
        done: dict[int, Json] = {}
        before = [Counter[str]() for _ in calls]
        while left := {at: call for at, call in enumerate(calls) if at not in done}:
            worst = sum(call.worst for call in left.values())
            self._limit.take(worst)
            ends = await self._alone(partial(self._round, left, before))
            self._limit.settle(worst, sum(end["cost"] for end in ends.values()))
            for at, end in ends.items():
                if "kept" in end:
                    done[at] = end["kept"]
                else:
                    before[at][end.get("kind", "late")] += 1
            failed = [end for end in ends.values() if "kept" not in end]
            if final := next((end for end in failed if end["again_s"] is None), None):
                self.told = heard(final["failed"])
                raise self.told
            if failed:
                await self._wait(max(end["again_s"] for end in failed))
        return [done[at] for at in range(len(calls))]

    async def _wait(self, seconds: float) -> None:
        pause = Duration.from_seconds(max(1, math.ceil(seconds)))
        await self._alone(lambda: self._context.wait(pause, "again"))

    def _round(self, left: Mapping[int, Call], before: list[Counter[str]]) -> dict[int, Json]:
        """One attempt at each, by their places."""
        if len(left) == 1:
            ((at, call),) = left.items()
            return {at: self._step(self._context, call, before[at])}

        def branch(context: DurableContext, one: tuple[int, Call], _: int, __: Any) -> Json:
            at, call = one
            return self._step(context, call, before[at])

        all_of_them = MapConfig[Any](
            completion_config=CompletionConfig(tolerated_failure_percentage=100)
        )
        found: Any = self._context.map(list(left.items()), branch, "together", all_of_them)
        for item in found.all:
            if item.error:
                raise RuntimeError(item.error.message)
        return {at: item.result for at, item in zip(left, found.all, strict=True)}

    def _step(self, context: DurableContext, call: Call, before: Counter[str]) -> Json:
        def once(_: StepContext) -> Json:
            return asyncio.run_coroutine_threadsafe(self._tried(call, before), self._loop).result()

        return context.step(once, call.name, STEP)

    async def _tried(self, call: Call, before: Counter[str]) -> Json:
        left, rest, began = self._time.left_s(), self._time.rest_s(), time.perf_counter()
        if left < min(call.needs_s, rest):
            return late()  # the next call of the function has all its time
        try:
            kept, cost = await call.do(self._loop.time() + min(left, rest))
            return answer(kept, cost)
        except KitError as err:
            self._telemetry.failed(self._incoming, err, (time.perf_counter() - began) * 1_000)
            cut = left < min(rest, WHOLE_S) and isinstance(err, DeadlinePassed)
            kind = LOST if cut else kind_of(err)
            return failure(err, kind, before, worst=call.worst, rest_s=self._time.rest_s())
        except Exception as err:
            self._telemetry.crashed(self._incoming, err)
            raise

    async def _alone(self, steps: Callable[[], Any]) -> Any:
        if self._gone:
            raise self._gone
        if self._open:
            raise RuntimeError(
                "a workflow asks one step at a time, and waits for it; several at once: together()"
            )
        # The SDK waits where it is called, and calls back from threads of its own. Whoever waits
        # here may be cancelled; what was begun is not.
        opened = self._open = asyncio.ensure_future(asyncio.to_thread(steps))
        opened.add_done_callback(self._closed)
        try:
            return await asyncio.shield(opened)
        except StepError as err:
            raise RuntimeError(err.message) from err

    def _closed(self, opened: "asyncio.Future[Any]") -> None:
        self._open = None
        err = None if opened.cancelled() else opened.exception()
        if err and not isinstance(err, StepError):  # suspended, or its memory is out of reach
            self._gone = err
