"""Ways for a call to fail, for `Cloud.around`: each error is the one that `Aws` would raise."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from claude_core.aws import RETRIED, AwsRefused
from claude_core.errors import AwsUnreachable
from tests.cloud.cloud import Around, Do
from tests.cloud.refusing import Payload, refused, unreachable

THROTTLED = {
    "dynamodb": "ProvisionedThroughputExceededException",
    "sqs": "RequestThrottled",
    "sns": "Throttling",
}
"""The codes of throttling; other services have the common one."""


def throttled(service: str) -> AwsRefused | AwsUnreachable:
    """What throttling looks like behind `Aws`, which tries again where it knows the code."""
    code = THROTTLED.get(service, "ThrottlingException")
    if service == "s3" or code in RETRIED:  # S3 says SlowDown with a status of 503
        return AwsUnreachable(f"{service} is throttled or down")
    return refused(code, "The request was denied due to request throttling.")


@dataclass(slots=True)
class Faults:
    """An `Around` that draws what happens; each share is one of all calls."""

    chance: random.Random
    before: float = 0.0
    """No answer, and nothing done."""
    after: float = 0.0
    """Done, and no answer."""
    throttled: float = 0.0
    hang: float = 0.0
    """Done or not, and then nothing, for ever: the double has no deadline, as `Aws` has one."""
    longest_s: float = 0.0
    """Each call takes up to so long, half of it before it is done."""

    async def __call__(self, service: str, action: str, payload: Payload, do: Do) -> Any:
        drawn = self.chance.random()
        for fault, share in (("throttled", self.throttled), ("before", self.before)):
            drawn -= share
            if drawn < 0:
                await self._take()
                raise throttled(service) if fault == "throttled" else unreachable(service)
        await self._take()
        if drawn < self.hang and self.chance.random() < 0.5:
            await asyncio.Event().wait()
        answer = await do()
        await self._take()
        if drawn < self.hang:
            await asyncio.Event().wait()
        if drawn < self.hang + self.after:
            raise unreachable(service)
        return answer

    async def _take(self) -> None:
        if self.longest_s:
            await asyncio.sleep(self.chance.random() * self.longest_s / 2)


def losing(decide: Callable[[str], str | None]) -> Around:
    """Breaks the calls that `decide` names by their action: "before" it is done, or "after", when
    only the answer is lost."""

    async def around(service: str, action: str, payload: Payload, do: Do) -> Any:
        lost = decide(action)
        if lost == "before":
            raise unreachable(service)
        answer = await do()
        if lost == "after":
            raise unreachable(service)
        return answer

    return around
