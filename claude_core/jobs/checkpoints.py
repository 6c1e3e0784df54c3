"""How far a long file of jobs was read: kept in the jobs table, so that nobody begins again.

A row `inbox#CLIENT#FILE`; its `read_to` only grows, whoever else reads the same file.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass

from claude_core.aws import FAILED, Aws, AwsRefused
from claude_core.errors import AwsUnreachable
from claude_core.jobs.drops import Drop
from claude_core.reached import reached

DYNAMO = "DynamoDB_20120810"
KEPT_S = 30 * 86_400
"""Longer than any queue tells of the file again."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Everything before byte `read_to` is done with."""

    read_to: int = 0
    line: int = 0
    """The number of the last line before it."""
    jobs: int = 0
    refused: int = 0
    said: tuple[str, ...] = ()
    """Why lines were refused: of the first ones."""
    over: bool = False


class Checkpoints:
    """Reads and writes them. Every method raises AwsUnreachable."""

    def __init__(self, aws: Aws, table: str, now: Callable[[], float] = time.time) -> None:
        self._aws, self._table, self._now = aws, table, now

    async def find(self, drop: Drop) -> Checkpoint:
        asked = {"TableName": self._table, "Key": _key(drop), "ConsistentRead": True}
        with reached("the jobs table"):
            answer = await self._aws.call("dynamodb", f"{DYNAMO}.GetItem", asked)
        item = answer.get("Item")
        if not item:
            return Checkpoint()
        read_to, line, jobs, refused = (
            int(item[name]["N"]) for name in ("read_to", "line", "jobs", "refused")
        )
        said = tuple(json.loads(item["said"]["S"]))
        return Checkpoint(read_to, line, jobs, refused, said, item["over"]["BOOL"])

    async def keep(self, drop: Drop, point: Checkpoint) -> None:
        """Write one, unless somebody was further."""
        numbers = ("read_to", "line", "jobs", "refused")
        expires = str(int(self._now()) + KEPT_S)
        asked = {
            "TableName": self._table,
            "Item": {
                **_key(drop),
                **{name: {"N": str(getattr(point, name))} for name in numbers},
                "said": {"S": json.dumps(point.said, ensure_ascii=False)},
                "over": {"BOOL": point.over},
                "expires_at": {"N": expires},
            },
            "ConditionExpression": "attribute_not_exists(id) OR read_to <= :to",
            "ExpressionAttributeValues": {":to": {"N": str(point.read_to)}},
        }
        try:
            await self._aws.call("dynamodb", f"{DYNAMO}.PutItem", asked)
        except AwsRefused as err:
            if err.code != FAILED:
                raise AwsUnreachable(f"the jobs table refused: {err}") from err


def _key(drop: Drop) -> dict[str, dict[str, str]]:
    return {"id": {"S": f"inbox#{drop.client}#{drop.id}"}}
