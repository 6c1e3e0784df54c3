"""A team's workflows as a durable function: from a client and an input to a result.

The event is `{"workflow", "client", "input", "most_usd"?}`. Whoever may invoke the function acts
for the client that is named: there is no key in an event, since events are kept.
"""

import asyncio
import inspect
import json
import logging
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from aws_durable_execution_sdk_python import DurableContext, durable_execution
from aws_durable_execution_sdk_python.exceptions import UnrecoverableError
from aws_durable_execution_sdk_python.types import LambdaContext

from claude_core.errors import InvalidRequest, KitError, NotAuthenticated, NotFound
from claude_core.incoming import Incoming
from claude_core.models import NANO
from claude_core.serve import Kit
from claude_core.settings import Runtime, Settings, WorkflowSettings
from claude_core.telemetry import Telemetry
from claude_core.wire import Json
from claude_core.workflows import Asks, Limit
from lambda_src.durable import Steps
from lambda_src.step import Time

BUNDLE = Path(__file__).parents[1]
MARGIN_S = 10.0
"""Of the function's time, to keep what has come."""
MODULE = "workflows_of_the_team"
FIELDS = {"workflow", "client", "input", "most_usd"}

Workflow = Callable[[Asks, Any], Awaitable[object]]
"""From what was given to what is found, both of JSON."""

# It logs what goes wrong in its own words, and those of errors, which may hold a prompt.
logging.getLogger("aws_durable_execution_sdk_python").setLevel(logging.CRITICAL + 1)


class Workflows:
    """One process. Built on the event loop that outlives each call."""

    def __init__(self, settings: Settings, own: WorkflowSettings, runtime: Runtime) -> None:
        """Load them.

        Raises:
            Exception: whatever a team's file does when it is run.
        """
        self._telemetry = Telemetry(settings.service)
        try:
            self._workflows = load(BUNDLE / own.workflows_file)
        except Exception as err:
            self._telemetry.crashed(Incoming("load"), err)
            raise
        self._kit = Kit.build(settings, runtime, self._telemetry)
        self._timeout_s = float(own.workflow_timeout_s)

    async def run(self, event: Json, context: DurableContext, left_s: Callable[[], float]) -> Json:
        """One execution, from its first step or from where it was left.

        Raises:
            KitError: it failed for good.
        """
        began, incoming = began_at(context), Incoming(context_id(context))
        time_ = Time(left_s=lambda: left_s() - MARGIN_S, ends_at=began + self._timeout_s)
        started, steps = time.perf_counter(), None
        try:
            workflow, client, most = self._asked(event)
            limit = Limit(most)
            steps = Steps(*(self._kit, incoming, client), context=context, limit=limit, time=time_)
            try:
                await steps.begin()
            except NotAuthenticated as err:
                steps.told = NotFound(f"there is no client {client} (kit clients list)")
                raise steps.told from err
            try:
                output = await workflow(steps, event.get("input"))
            finally:
                await steps.ended()
            found = {"output": output, "cost_usd": limit.cost / NANO}
            json.dumps(found)  # what is no JSON is the workflow's to mend, and told as all else
            return found
        except KitError as err:
            if steps is None or err is not steps.told:
                self._telemetry.failed(incoming, err, (time.perf_counter() - started) * 1_000)
            raise
        except UnrecoverableError:  # of Lambda's own service: it is told by the function's errors
            raise
        except Exception as err:
            self._telemetry.crashed(incoming, err)
            raise
        except (SystemExit, KeyboardInterrupt) as err:  # of the loop they would make an end
            self._telemetry.crashed(incoming, err)
            raise RuntimeError(f"the workflow raised {type(err).__name__}") from err

    async def close(self) -> None:
        await self._kit.close()

    def _asked(self, event: Json) -> tuple[Workflow, str, int | None]:
        """
        Raises:
            InvalidRequest, NotFound: nothing was asked.
        """
        if not isinstance(event, dict):
            raise InvalidRequest('an event is an object: {"workflow", "client", "input"}')
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


def context_id(context: DurableContext) -> str:
    """What Lambda calls an execution."""
    return context.execution_context.durable_execution_arn.rsplit("/", 1)[-1]


def began_at(context: DurableContext) -> float:
    """When an execution began, by the clock."""
    operation = context.state.get_execution_operation()
    began = operation and operation.start_timestamp
    return began.timestamp() if began else time.time()


def load(file: Path) -> dict[str, Workflow]:
    """The workflows of a file: its own coroutine functions, but for those that begin with `_`."""
    module = ModuleType(MODULE)
    sys.modules[MODULE] = module  # where dataclasses look for it
    SourceFileLoader(MODULE, str(file)).exec_module(module)
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
