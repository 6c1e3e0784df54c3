"""A team's workflows as a durable function: from a client and an input to a result.

The event is `{"workflow", "client", "input", "most_usd"?}`. Whoever may invoke the function acts
for the client that is named: there is no key in an event, since events are kept.
"""

import asyncio
import inspect
import logging
import threading
import time
from collections.abc import Awaitable, Callable
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from aws_durable_execution_sdk_python import DurableContext, durable_execution
from aws_durable_execution_sdk_python.types import LambdaContext

from claude_core.errors import InvalidRequest, KitError, NotAuthenticated, NotFound
from claude_core.incoming import Incoming
from claude_core.models import NANO
from claude_core.serve import Kit
from claude_core.settings import Runtime, Settings, WorkflowSettings
from claude_core.telemetry import Telemetry
from claude_core.wire import Json
from claude_core.workflows import Asks, Work
from lambda_src.durable import Steps

BUNDLE = Path(__file__).parents[1]
MARGIN_S = 10.0
"""Of the function's time, to keep what has come."""
FIELDS = {"workflow", "client", "input", "most_usd"}

Workflow = Callable[[Asks, Any], Awaitable[object]]
"""From what was given to what is found, both of JSON."""

# It logs what goes wrong in its own words, and those of errors, which may hold a prompt.
logging.getLogger("aws_durable_execution_sdk_python").setLevel(logging.CRITICAL + 1)


class Workflows:
    """One process. Built on the event loop that outlives each call."""

    def __init__(self, settings: Settings, own: WorkflowSettings, runtime: Runtime) -> None:
        self._telemetry = Telemetry(settings.service)
        self._kit = Kit.build(settings, runtime, self._telemetry)
        self._workflows = load(BUNDLE / own.workflows_file)

    async def run(self, event: Json, context: DurableContext, left_s: Callable[[], float]) -> Json:
        """One execution, from its first step or from where it was left.

        Raises:
            KitError: it failed for good.
        """
        arn = context.execution_context.durable_execution_arn
        incoming, started = Incoming(arn.rsplit("/", 1)[-1]), time.perf_counter()
        try:
            return await self._run(event, context, left_s, incoming)
        except KitError as err:
            self._telemetry.failed(incoming, err, (time.perf_counter() - started) * 1_000)
            raise
        except Exception as err:
            self._telemetry.crashed(incoming, err)
            raise

    async def close(self) -> None:
        await self._kit.close()

    async def _run(
        self, event: Json, context: DurableContext, left_s: Callable[[], float], incoming: Incoming
    ) -> Json:
        workflow, client, most = self._asked(event)
        deadline = asyncio.get_running_loop().time() + left_s() - MARGIN_S
        work = Work(self._kit, incoming, client, deadline=deadline, most=most, retried=False)
        steps = Steps(
            work,
            context,
            left_s=lambda: left_s() - MARGIN_S,
            crashed=lambda err: self._telemetry.crashed(incoming, err),
        )
        try:
            await steps.begin(lambda: self._kit.prove(client))
        except NotAuthenticated as err:
            raise NotFound(f"there is no client {client} (kit clients list)") from err
        output = await workflow(steps, event.get("input"))
        return {"output": output, "cost_usd": work.cost / NANO}

    def _asked(self, event: Json) -> tuple[Workflow, str, int | None]:
        """
        Raises:
            InvalidRequest, NotFound: nothing was asked.
        """
        if unknown := sorted(set(event) - FIELDS):
            raise InvalidRequest(f"{unknown[0]}: no such field of an event")
        name, client, most = event.get("workflow"), event.get("client"), event.get("most_usd")
        if not isinstance(client, str) or not client:
            raise InvalidRequest("client: the id of a client (kit clients list)")
        number = isinstance(most, int | float) and not isinstance(most, bool)
        if most is not None and not (number and 0 < most < float("inf")):
            raise InvalidRequest("most_usd: a number above 0")
        if not isinstance(name, str) or name not in self._workflows:
            raise NotFound(f"workflow: one of {', '.join(sorted(self._workflows))}")
        return self._workflows[name], client, None if most is None else round(most * NANO)


def load(file: Path) -> dict[str, Workflow]:
    """The workflows of a file: its own coroutine functions, but for those that begin with `_`."""
    module = ModuleType(file.stem)
    SourceFileLoader(module.__name__, str(file)).exec_module(module)
    return {
        name: one
        for name, one in vars(module).items()
        if inspect.iscoroutinefunction(one)
        and one.__module__ == module.__name__
        and not name.startswith("_")
    }


# In a thread of its own: the SDK runs each call in another one, and waits in it.
_loop: asyncio.AbstractEventLoop | None = None
_workflows: Workflows | None = None


@durable_execution
def handler(event: Json, context: DurableContext) -> Json:
    """Lambda's way in."""
    global _loop
    if _loop is None:
        _loop = asyncio.new_event_loop()
        threading.Thread(target=_loop.run_forever, daemon=True, name="workflows").start()
    return asyncio.run_coroutine_threadsafe(_handle(event, context), _loop).result()


async def _handle(event: Json, context: DurableContext) -> Json:
    global _workflows
    if _workflows is None:
        told = Settings.from_env(), WorkflowSettings.from_env(), Runtime.from_env()
        _workflows = Workflows(*told)
    given = cast(LambdaContext, context.lambda_context)
    return await _workflows.run(
        event, context, lambda: given.get_remaining_time_in_millis() / 1_000
    )
