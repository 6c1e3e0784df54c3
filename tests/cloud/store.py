"""One DynamoDB table of the double, for the double's own tests."""

from typing import Any

import pytest

from claude_core.aws import FAILED, AwsRefused
from tests.cloud.dynamo import Dynamo
from tests.cloud.index import Projection
from tests.cloud.keys import Keys
from tests.cloud.refusing import Mistake
from tests.cloud.values import Item

KEY: Item = {"id": {"S": "a"}}


class Store:
    """A table `jobs`, of `id` alone unless told otherwise, and a clock that stands still."""

    def __init__(self, keys: Keys | None = None, **indexes: tuple[Keys, Projection]) -> None:
        self.now = 1_795_000_000.0
        self.dynamo = Dynamo(lambda: self.now)
        self.table = self.dynamo.add("jobs", keys or Keys("id"), **indexes)

    def do(self, action: str, **asked: Any) -> dict[str, Any]:
        return self.dynamo.do(action, {"TableName": "jobs", **asked})

    def update(self, expression: str, *, key: Item = KEY, **asked: Any) -> dict[str, Any]:
        """`names` and `values` are without their signs, and values are text or numbers."""
        return self.do("UpdateItem", Key=key, UpdateExpression=expression, **expressions(asked))

    def query(self, condition: str, **asked: Any) -> dict[str, Any]:
        return self.do("Query", KeyConditionExpression=condition, **expressions(asked))

    def holds(self, condition: str, **asked: Any) -> bool:
        """Whether a condition holds for the item `KEY`."""
        try:
            self.do("DeleteItem", Key=KEY, ConditionExpression=condition, **expressions(asked))
        except AwsRefused as err:
            if err.code != FAILED:
                raise
            return False
        return True

    def refusal(self, action: str, **asked: Any) -> str:
        """The message of a ValidationException that depends on data."""
        with pytest.raises(AwsRefused) as refused:
            self.do(action, **asked)
        assert refused.value.code == "ValidationException"
        return str(refused.value.body["message"])

    def mistaken(self, action: str, **asked: Any) -> None:
        with pytest.raises(Mistake):
            self.do(action, **asked)


def expressions(asked: dict[str, Any]) -> dict[str, Any]:
    """Parameters of a request: `names={"a": "status"}` defines `#a`, `values={"x": 1}` `:x`."""
    found = {name: value for name, value in asked.items() if name not in ("names", "values")}
    if names := asked.get("names"):
        found["ExpressionAttributeNames"] = {f"#{name}": real for name, real in names.items()}
    if values := asked.get("values"):
        typed = {f":{name}": value_of(value) for name, value in values.items()}
        found["ExpressionAttributeValues"] = typed
    return found


def value_of(value: Any) -> dict[str, Any]:
    """A typed value of text, a whole number or a flag; what is typed already stays."""
    if isinstance(value, dict):
        return value
    if isinstance(value, bool):
        return {"BOOL": value}
    return {"N": str(value)} if isinstance(value, int) else {"S": value}
