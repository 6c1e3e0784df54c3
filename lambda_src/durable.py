"""The calls of a workflow as steps of a durable execution: what is done is never asked again."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from aws_durable_execution_sdk_python import DurableContext, StepContext
from aws_durable_execution_sdk_python.config import CompletionConfig, MapConfig, StepConfig
from aws_durable_execution_sdk_python.exceptions import StepError

from claude_core.errors import KitError
from claude_core.messages import Request
from claude_core.reply import Reply
from claude_core.wire import Json, to_bytes
from claude_core.workflows import Work
from lambda_src.step_errors import Later, again_s, heard, retry, told

SLOWEST = 30
"""Tokens a second that no model is taken to write slower than."""
BEGINNING_S = 60.0
"""What an answer may take besides."""


class Steps:
    """A `Work` of which each call is a step. Its methods run on the loop of `work`; one at a time,
    since steps are known again by the order in which they are begun."""

    def __init__(
        self,
        work: Work,
        context: DurableContext,
        *,
        left_s: Callable[[], float],
        crashed: Callable[[Exception], None],
    ) -> None:
        """
        Args:
            left_s: of the function's time; crashed: is told what should not happen.
        """
        self._work, self._context, self._left_s = work, context, left_s
        self._crashed, self._busy = crashed, False
        self._loop = asyncio.get_running_loop()

    async def begin(self, prove: Callable[[], Awaitable[object]]) -> None:
        """A first step that costs nothing; raises as `prove`."""

        async def proved() -> Json:
            await prove()
            return {}

        def step() -> Json:
            once = self._once(lambda attempt: self._tried(proved(), attempt), 0, set())
            return self._context.step(once, "begin", StepConfig(retry_strategy=retry))

        try:
            await self._alone(step)
        except StepError as err:
            raise self._failure(err.data, err.message, set(), 0) from err

    async def __call__(self, request: Request) -> Reply:
        """One answer, asked for once however often the workflow runs.

        Raises:
            KitError: it failed for good.
        """
        done: set[int] = set()
        try:
            kept = await self._alone(lambda: self._step(self._context, request, 0, done))
            return self._replied(kept, done, 0)
        except StepError as err:
            raise self._failure(err.data, err.message, done, 0) from err

    async def together(self, requests: Sequence[Request]) -> list[Reply]:
        """Several at once; what is begun is ended and kept, also where another one fails.

        Raises:
            KitError: of the first, in their order, that failed for good.
        """
        done: set[int] = set()

        def branch(context: DurableContext, request: Request, at: int, _: Any) -> Json:
            return self._step(context, request, at, done)

        def steps() -> Any:
            whole = CompletionConfig(tolerated_failure_percentage=100)
            config = MapConfig[Request](completion_config=whole)
            return self._context.map(list(requests), branch, "together", config)

        items = (await self._alone(steps)).all
        failures = [
            self._failure(one.error.data, one.error.message, done, one.index)
            for one in items
            if one.error
        ]
        replies = [self._replied(one.result, done, one.index) for one in items if not one.error]
        if failures:
            raise failures[0]
        return replies

    async def _alone(self, steps: Callable[[], Any]) -> Any:
        if self._busy:
            raise RuntimeError("a workflow asks one step at a time; several at once: together()")
        self._busy = True
        try:
            # The SDK waits where it is called, and calls back from threads of its own.
            return await asyncio.to_thread(steps)
        finally:
            self._busy = False

    def _step(self, context: DurableContext, request: Request, at: int, done: set[int]) -> Json:
        once = self._once(lambda attempt: self._ask(request, attempt), at, done)
        return context.step(once, f"ask {request.model.id}", StepConfig(retry_strategy=retry))

    def _once(
        self, doing: Callable[[int], Coroutine[Any, Any, Json]], at: int, done: set[int]
    ) -> Callable[[StepContext], Json]:
        def once(step: StepContext) -> Json:
            done.add(at)
            return asyncio.run_coroutine_threadsafe(doing(step.attempt), self._loop).result()

        return once

    async def _ask(self, request: Request, attempt: int) -> Json:
        """What is kept of an answer; raises as `_tried`."""
        if self._left_s() < BEGINNING_S + request.max_tokens / SLOWEST:
            raise Later(1.0)  # this function's time is too short: the next one's is whole

        async def asked() -> Json:
            answer = await self._work.paid(request)
            return {"message": answer.reply.message, "cost": answer.cost}

        return await self._tried(asked(), attempt, request.worst_cost)

    async def _tried(self, doing: Awaitable[Json], attempt: int, worst: int = 0) -> Json:
        """
        Raises:
            Later; StepError: it failed for good, with what is needed to say so again.
        """
        try:
            return await doing
        except KitError as err:
            if (delay := again_s(err, attempt)) is not None:
                raise Later(delay) from err
            cost = worst if err.may_be_billed else 0
            raise StepError(err.message, data=json.dumps(told(err, cost))) from err
        except Exception as err:
            self._crashed(err)
            raise

    def _replied(self, kept: Json, done: set[int], at: int) -> Reply:
        if at not in done:  # asked and paid for when this workflow ran before
            self._work.cost += kept["cost"]
        return Reply.from_bytes(to_bytes(kept["message"]))

    def _failure(self, data: str | None, message: str | None, done: set[int], at: int) -> Exception:
        if data is None:
            return RuntimeError(message)
        said = json.loads(data)
        if at not in done:
            self._work.cost += said["cost"]
        return heard(said)
