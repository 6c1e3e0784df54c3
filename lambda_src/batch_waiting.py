"""Which jobs wait for a batch, and which a batch holds: the index `waiting`, the oldest first.

The index follows the table a little later. So what it shows is claimed by a condition on the row,
and where nothing is shown somebody looks again a minute later.
"""

from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from claude_core.aws import Aws
from claude_core.jobs.batched import place
from claude_core.jobs.job import Job
from claude_core.reached import reached
from lambda_src.batch_line import Line

MOST_BYTES = 64_000_000
"""Of what jobs ask, in one batch: all of it is in memory. Claude takes 256 MB."""
MOST_CLIENTS = 500
"""Each has its money reserved apart, and noted in the intent's row, which has an end."""
PROBE = 100
"""Jobs of a client whose rest is over: enough to see whether there is money again."""


@dataclass(slots=True)
class Chosen:
    """Jobs for one batch."""

    jobs: list[Job] = field(default_factory=list)
    more: bool = False
    """Others wait, too, and could be taken at once."""
    rests_until: float | None = None
    """When the first of those that were passed over may be taken again."""


class Waiting:
    """Reads the index. Raises AwsUnreachable."""

    def __init__(self, aws: Aws, table: str, now: Callable[[], float]) -> None:
        self._aws, self._table, self._now = aws, table, now

    async def choose(self, line: Line) -> Chosen:
        """The oldest jobs of a line, as many as a batch may have."""
        chosen, bytes_, now = Chosen(), 0, self._now()
        taken = Counter[str]()
        async with aclosing(self._listed(line.model)) as listed:
            async for job in listed:
                until = line.resting.get(job.client)
                if until is not None and until > now:
                    chosen.rests_until = min(until, chosen.rests_until or until)
                    continue
                probed = until is not None and taken[job.client] >= PROBE
                crowded = job.client not in taken and len(taken) >= MOST_CLIENTS
                if probed or crowded:
                    chosen.more = True
                    continue
                full = len(chosen.jobs) >= line.most or bytes_ + job.bytes > MOST_BYTES
                if full and chosen.jobs:
                    chosen.more = True
                    break
                chosen.jobs.append(job)
                taken[job.client] += 1
                bytes_ += job.bytes
        return chosen

    async def held(self, intent: str) -> dict[str, Job]:
        """The jobs that a batch holds, and those of which it has not told; by id."""
        async with aclosing(self._listed(place(intent))) as listed:
            return {job.id: job async for job in listed}

    async def _listed(self, partition: str) -> AsyncGenerator[Job]:
        asked: dict[str, Any] = {
            "TableName": self._table,
            "IndexName": "waiting",
            "KeyConditionExpression": "waiting = :waiting",
            "ExpressionAttributeValues": {":waiting": {"S": partition}},
        }
        while True:
            with reached("the jobs table"):
                page = await self._aws.call("dynamodb", "DynamoDB_20120810.Query", asked)
            for item in page["Items"]:
                yield Job(item)
            if not page.get("LastEvaluatedKey"):
                return
            asked["ExclusiveStartKey"] = page["LastEvaluatedKey"]
