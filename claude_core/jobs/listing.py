"""A client's jobs, the newest first, a page at a time."""

import asyncio
import re
from dataclasses import dataclass
from typing import Any

from claude_core.aws import Aws
from claude_core.errors import InvalidRequest
from claude_core.jobs.job import OPEN, Job, Status
from claude_core.reached import reached

MOST, USUAL = 100, 20
SHELVES = (OPEN, *(status.value for status in Status if status.over))
PLACE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z#[A-Za-z0-9_-]{6}")
READ_ON, PAGES = 1_000, 10
"""Rows of the index that one query reads, and queries of one request, where few of many are
wanted."""
SHELF = "client = :client AND listed BETWEEN :low AND :high"
LAST = "~"
"""Sorts after every time."""


@dataclass(frozen=True, slots=True)
class Page:
    jobs: list[Job]
    next: str | None
    """Where the next page begins; None at the end."""


class Listing:
    """Reads the index `by_client`, which follows the table within a second, mostly."""

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
            InvalidRequest: no such status, limit or page; AwsUnreachable.
        """
        if status is not None and status not in {*Status}:
            raise InvalidRequest(f"status: must be one of {', '.join(Status)}")
        if not 1 <= limit <= MOST:
            raise InvalidRequest(f"limit: must be 1 to {MOST}")
        if after is not None and not PLACE.fullmatch(after):
            raise InvalidRequest("after: must be the `next` of another page")
        first, *rest = SHELVES if status is None else (Status(status).shelf,)
        # What is open first: a job that ends meanwhile is then read twice, not missed.
        read = [await self._read(client, first, status, limit, after)]
        read += await asyncio.gather(
            *(self._read(client, shelf, status, limit, after) for shelf in rest)
        )
        once = {job.place: job for jobs, _ in read for job in jobs}
        found = [once[place] for place in sorted(once, reverse=True)]
        # A shelf that was not read to its end has, beyond what was read, nothing to be left out.
        floor = max((end for _, end in read if end is not None), default=None)
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
        at_once = limit + 1  # what was the last one, `after`, is read once more
        if shelf == OPEN and status is not None:
            filtered = {
                "FilterExpression": "#status = :status",
                "ExpressionAttributeNames": {"#status": "status"},
            }
            values[":status"], at_once = {"S": status}, READ_ON
        for _ in range(PAGES):
            with reached("the jobs table"):
                answer = await self._aws.call(
                    "dynamodb",
                    "DynamoDB_20120810.Query",
                    {
                        "TableName": self._table,
                        "IndexName": "by_client",
                        "KeyConditionExpression": SHELF,
                        "ExpressionAttributeValues": values,
                        "ScanIndexForward": False,
                        "Limit": at_once,
                        **filtered,
                        **start,
                    },
                )
            found += [job for job in map(Job, answer["Items"]) if job.place != after]
            last = answer.get("LastEvaluatedKey")
            if not last:
                return found, None
            end = last["listed"]["S"].partition("#")[2]
            if len(found) >= limit:
                break
            start = {"ExclusiveStartKey": last}
        return found, end
