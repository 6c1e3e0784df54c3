"""The durable function, run by AWS's own test runner: its state and its clock stand in for AWS."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import repeat
from pathlib import Path
from typing import Any, Literal

import pytest
from aws_durable_execution_sdk_python.exceptions import CheckpointError
from aws_durable_execution_sdk_python_testing.runner import (
    DurableFunctionTestResult,
    DurableFunctionTestRunner,
)

from claude_core.settings import WorkflowSettings
from lambda_src import workflow
from local.fake_claude.inprocess import Fake
from tests.doubles import REGION, AwsDouble

ROOT = Path(__file__).parents[2]
Loss = Literal["before", "after"] | None
"""Before a checkpoint is written, or after that, before it is heard of."""


class _Timed:
    """What Lambda tells of a call, with a time of our own."""

    def __init__(self, context: Any, left_s: float) -> None:
        self._context, self._left_s = context, left_s

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def get_remaining_time_in_millis(self) -> int:
        return int(self._left_s * 1_000)


class Executing:
    """A client of a deployment, and executions of workflows for it."""

    def __init__(self, aws: AwsDouble, claude: Fake) -> None:
        self.aws, self.claude = aws, claude
        _, self.client = aws.add_client()
        self.checkpoints = 0
        """Of the execution that ran last, from all its invocations."""
        self.kept: list[str] = []
        """Answers that were written before the process was lost."""
        self.lost: Callable[[int], Loss] = lambda number: None
        """Whether the process is lost at a checkpoint, counted from 1."""
        self.left_s: Iterator[float] = repeat(900.0)
        """Of the function's time, of each of its invocations."""

    def run(self, name: str, given: Any, **more: Any) -> DurableFunctionTestResult:
        event = {"workflow": name, "client": self.client.id, "input": given, **more}
        return self.started(event)

    def started(self, event: Any) -> DurableFunctionTestResult:
        """One execution, from its event to its end."""
        self.checkpoints, self.kept = 0, []
        kept: list[str] = []

        def invoked(given: Any, context: Any) -> Any:
            return workflow.handler(given, _Timed(context, next(self.left_s)))

        with DurableFunctionTestRunner(invoked) as runner:
            runner._executor.RETRY_BACKOFF_SECONDS = 0
            client = runner._service_client
            inner = client.checkpoint

            def checkpoint(*, updates: Any, **more: Any) -> Any:
                self.checkpoints += 1
                loss, answer = self.lost(self.checkpoints), None
                if loss != "before":
                    answer = inner(updates=updates, **more)
                    kept.extend(one.payload for one in updates if one.payload)
                if loss:
                    self.kept = [*kept]
                    raise CheckpointError("the process is gone")
                return answer

            client.checkpoint = checkpoint
            result: DurableFunctionTestResult = runner.run(json.dumps(event), execution_timeout=60)
        runner._scheduler._loop.close()  # which it leaves open
        return result

    def row(self) -> dict[str, Any]:
        return self.aws.row(self.client)

    def spent(self) -> int:
        """Nano-dollars of this month."""
        return sum(int(value) for name, value in self.row().items() if name.startswith("spent_"))

    def requests(self) -> int:
        """Of the client's minutes, so far."""
        return sum(
            10_000 - int(left) for name, left in self.row().items() if name.startswith("minute_")
        )


@contextmanager
def executing(
    aws: AwsDouble, claude: Fake, file: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Executing]:
    """The function of a deployment whose workflows are in `file`; its process ends with this."""
    own = WorkflowSettings(workflows_file=str(file), workflow_timeout_s="200")
    env = aws.settings(claude.url).to_env() | own.to_env()
    env |= {"AWS_REGION": REGION, "AWS_ENDPOINT_URL": aws.url}
    env |= {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    try:
        yield Executing(aws, claude)
    finally:
        if (running := workflow._workflows) and (loop := workflow._loop):
            asyncio.run_coroutine_threadsafe(running.close(), loop).result()
        workflow._workflows = None


def output(result: DurableFunctionTestResult) -> Any:
    """What a workflow has returned."""
    assert result.error is None, result.error
    assert isinstance(result.result, str)
    return json.loads(result.result)["output"]


def cost_usd(result: DurableFunctionTestResult) -> float:
    assert isinstance(result.result, str)
    return float(json.loads(result.result)["cost_usd"])
