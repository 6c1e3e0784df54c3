"""A service that has no tasks is given one by whoever sends it a job: nothing else would.

From the first task on it scales by itself.
"""

import asyncio
import time
from collections.abc import Callable

from claude_core.aws import FAILED, Aws, AwsRefused
from claude_core.errors import AwsUnreachable

ECS = "AmazonEC2ContainerServiceV20141113"
EVERY_S = 60
"""One look at a service, by all who send it jobs."""
LONGEST_S = 2.0
"""Its caller has a job that is safe, and waits for a word."""


class Starter:
    """Looks at services of one cluster; `trouble` is told what failed, and nobody else."""

    def __init__(
        self,
        aws: Aws,
        *,
        table: str,
        cluster: str,
        trouble: Callable[[str], None],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._aws, self._table, self._cluster, self._trouble = aws, table, cluster, trouble
        self._now = now
        self._rests_until: dict[str, float] = {}

    async def start(self, service: str) -> None:
        """Give a service its first task, unless it has one, or somebody has just looked."""
        if self._now() < self._rests_until.get(service, 0):
            return
        try:
            async with asyncio.timeout(LONGEST_S):
                if await self._first_to_look(service):
                    await self._look(service)
        except (AwsRefused, AwsUnreachable, TimeoutError) as err:
            self._trouble(f"{service} could not be looked at; jobs may wait for it: {err!r}")

    async def _first_to_look(self, service: str) -> bool:
        """Whether nobody has looked for a minute; from now on somebody has."""
        now = int(self._now())
        try:
            await self._aws.call(
                "dynamodb",
                "DynamoDB_20120810.UpdateItem",
                {
                    "TableName": self._table,
                    "Key": {"id": {"S": f"start#{service}"}},
                    "UpdateExpression": "SET looked = :now",
                    "ConditionExpression": "attribute_not_exists(looked) OR looked <= :before",
                    "ExpressionAttributeValues": {
                        ":now": {"N": str(now)},
                        ":before": {"N": str(now - EVERY_S)},
                    },
                    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                },
            )
        except AwsRefused as err:
            if err.code != FAILED:
                raise
            looked = (err.body.get("Item") or {}).get("looked", {"N": now})
            self._rests_until[service] = int(looked["N"]) + EVERY_S
            return False
        self._rests_until[service] = now + EVERY_S
        return True

    async def _look(self, service: str) -> None:
        asked = {"cluster": self._cluster, "services": [service]}
        answer = await self._aws.call("ecs", f"{ECS}.DescribeServices", asked)
        for found in answer.get("services", []):
            if found["status"] == "ACTIVE" and found["desiredCount"] == 0:
                wanted = {"cluster": self._cluster, "service": service, "desiredCount": 1}
                await self._aws.call("ecs", f"{ECS}.UpdateService", wanted)
