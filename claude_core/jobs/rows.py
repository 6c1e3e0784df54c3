"""Rows of the jobs table, for those who work on jobs."""

from claude_core.aws import FAILED, Aws, AwsRefused
from claude_core.errors import AwsUnreachable
from claude_core.jobs.job import Job, Status
from claude_core.reached import reached
from claude_core.row import Item

HELD = "#status = :running AND fence = :fence"
RESERVED = ("usage", "error", "result")
"""Attributes whose names are DynamoDB's own words, beside `status`."""


class Rows:
    """The jobs table. Every method raises AwsUnreachable."""

    def __init__(self, aws: Aws, table: str) -> None:
        self._aws, self._table = aws, table

    async def read(self, id: str) -> Item | None:
        """A row as it stands."""
        asked = {"TableName": self._table, "Key": {"id": {"S": id}}, "ConsistentRead": True}
        with reached("the jobs table"):
            answer = await self._aws.call("dynamodb", "DynamoDB_20120810.GetItem", asked)
        return answer.get("Item") or None

    async def put(self, item: Item) -> None:
        """Keep a row, whatever stood there."""
        asked = {"TableName": self._table, "Item": item}
        with reached("the jobs table"):
            await self._aws.call("dynamodb", "DynamoDB_20120810.PutItem", asked)

    async def write(
        self,
        job: Job,
        update: str,
        values: Item,
        *,
        condition: str = HELD,
        ends: Status | None = None,
    ) -> Item | None:
        """A write under a claim; the row after it, or None: the claim is lost."""
        names = {"#status": "status"}
        names |= {f"#{name}": name for name in RESERVED if f"#{name}" in update}
        values |= {":running": {"S": Status.RUNNING.value}, ":fence": {"N": str(job.fence)}}
        written, item = await self.update(job.id, update, condition, values, names)
        if written:
            return item
        # The first attempt arrived, and only its answer was lost.
        ours = ends is not None and item and Job(item).status is ends
        return item if ours and Job(item).fence == job.fence else None

    async def update(
        self, id: str, update: str, condition: str, values: Item, names: dict[str, str]
    ) -> tuple[bool, Item]:
        """Whether a conditional write was made, and the row after it, or as it stands."""
        try:
            answer = await self._aws.call(
                "dynamodb",
                "DynamoDB_20120810.UpdateItem",
                {
                    "TableName": self._table,
                    "Key": {"id": {"S": id}},
                    "UpdateExpression": update,
                    "ConditionExpression": condition,
                    **({"ExpressionAttributeNames": names} if names else {}),
                    "ExpressionAttributeValues": values,
                    "ReturnValues": "ALL_NEW",
                    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                },
            )
        except AwsRefused as err:
            if err.code != FAILED:
                raise AwsUnreachable(f"the jobs table refused: {err}") from err
            return False, err.body.get("Item") or {}
        return True, answer["Attributes"]
