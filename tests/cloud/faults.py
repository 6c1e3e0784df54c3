"""Ways for a call to fail, for `Cloud.around`: each error is the one that `Aws` would raise."""

from collections.abc import Callable
from typing import Any

from claude_core.aws import AwsRefused
from claude_core.errors import AwsUnreachable
from tests.cloud.cloud import Around, Do
from tests.cloud.refusing import Payload, refused, unreachable

THROTTLED = {
    "dynamodb": "ProvisionedThroughputExceededException",
    "sqs": "RequestThrottled",
    "events": "ThrottlingException",
    "s3": "SlowDown",
}
REFUSED_AT_ONCE = {"RequestThrottled", "OverLimit"}
"""Codes that `Aws` neither knows as throttling nor sees with a status of 500."""


def throttled(service: str) -> AwsRefused | AwsUnreachable:
    """What throttling looks like behind `Aws`, which has tried again where it knows the code."""
    code = THROTTLED.get(service, "ThrottlingException")
    if code in REFUSED_AT_ONCE:
        return refused(code, "The request was denied due to request throttling.")
    return AwsUnreachable(f"{service} is throttled or down ({code})")


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
