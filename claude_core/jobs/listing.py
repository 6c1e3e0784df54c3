"""A client's jobs, the newest first, a page at a time."""

import asyncio
from dataclasses import dataclass
from typing import Any

from claude_core.aws import Aws
from claude_core.errors import InvalidRequest
from claude_core.jobs.job import OPEN, Job, Status

MOST, USUAL = 100, 20
SHELVES = (OPEN, *(status.value for status in Status if status.over))
PAGES = 10
"""Of the index that one request reads, where few of many are wanted."""
LAST = "~"
"""Sorts after every time."""


@dataclass(frozen=True, slots=True)
class Page:
    jobs: list[Job]
    next: str | None
    """Where the next page begins; None at the end."""


class Listing:
    """Reads the index `by_client`. Raises AwsUnreachable, AwsRefused."""

    def __init__(self, aws: Aws, table: str) -> None:
        self._aws, self._table = aws, table

    async def page(
        self,
        client: str,
        *,
        status: str | None = None,
        limit: int = USUAL,
        after: str | None = None,
    ) -> Page:
        """Up to `limit` jobs of a client that are older than `after`, a page's `next`.

        Raises:
            InvalidRequest: no such status, or no such limit.
        """
        if status is not None and status not in {*Status}:
            raise InvalidRequest(f"status: must be one of {', '.join(Status)}")
        if not 1 <= limit <= MOST:
            raise InvalidRequest(f"limit: must be 1 to {MOST}")
        shelves = SHELVES if status is None else (Status(status).shelf,)
        reading = (self._read(client, shelf, status, limit, after) for shelf in shelves)
        read = await asyncio.gather(*reading)
        found = sorted((job for jobs, _ in read for job in jobs), key=lambda job: job.place)[::-1]
        # A shelf that was not read to its end has, beyond what was read, nothing to be left out.
        floor = max((reached for _, reached in read if reached is not None), default=None)
        whole = [job for job in found if floor is None or job.place >= floor][:limit]
        if len(whole) < len(found):
            return Page(whole, whole[-1].place if whole else floor)
        return Page(whole, floor)

    async def _read(
        self, client: str, shelf: str, status: str | None, limit: int, after: str | None
    ) -> tuple[list[Job], str | None]:
        """Jobs of one shelf, and the place of the last that was read where there are more."""
        found: list[Job] = []
        start: dict[str, Any] = {}
        filtered: dict[str, Any] = {}
        values: dict[str, Any] = {
            ":client": {"S": client},
            ":low": {"S": f"{shelf}#"},
            ":high": {"S": f"{shelf}#{after or LAST}"},
        }
        if shelf == OPEN and status is not None:
            filtered = {
                "FilterExpression": "#status = :status",
                "ExpressionAttributeNames": {"#status": "status"},
            }
            values[":status"] = {"S": status}
        for _ in range(PAGES):
            answer = await self._aws.call(
                "dynamodb",
                "DynamoDB_20120810.Query",
                {
                    "TableName": self._table,
                    "IndexName": "by_client",
                    "KeyConditionExpression": "client = :client AND listed BETWEEN :low AND :high",
                    "ExpressionAttributeValues": values,
                    "ScanIndexForward": False,
                    "Limit": limit + 1,
                    **filtered,
                    **start,
                },
            )
            found += [job for job in map(Job, answer["Items"]) if job.place != after]
            last = answer.get("LastEvaluatedKey")
            if not last:
                return found, None
            reached = last["listed"]["S"].partition("#")[2]
            if len(found) >= limit:
                break
            start = {"ExclusiveStartKey": last}
        return found, reached
