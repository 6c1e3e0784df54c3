"""DynamoDB in memory, one table of items by id, as strict as the real one about expressions.

It takes UpdateItem and PutItem alone. What the real one would refuse, it refuses: names and values
that are not defined or not used, two parts of an update that touch one path, arithmetic on what is
not there, empty sets. Every write is counted in write units, as it would be billed.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from claude_core.aws import FAILED, AwsRefused
from claude_core.errors import AwsUnreachable
from tests.expressions import Item, Scope, condition, update


@dataclass
class Dynamo:
    """Stands in for `Aws`; `topic` is what was published to the alarm topic."""

    items: dict[str, Item] = field(default_factory=dict)
    kept: dict[tuple[str, str], Item] = field(default_factory=dict)
    """What PutItem wrote to the history."""
    calls: int = 0
    units: int = 0
    topic: list[tuple[str, str]] = field(default_factory=list)
    lose: Callable[[str], str | None] = lambda action: None
    """Breaks a call: "before" it is done, or "after", when only its answer is lost."""

    async def call(self, service: str, target: str, payload: dict[str, Any]) -> dict[str, Any]:
        assert service == "dynamodb"
        action = target.partition(".")[2]
        self.calls += 1
        lost = self.lose(action)
        if lost == "before":
            raise AwsUnreachable("dynamodb did not answer in time")
        answer = self._put(payload) if action == "PutItem" else self._update(payload)
        if lost == "after":
            raise AwsUnreachable("dynamodb did not answer in time")
        return answer

    async def publish(self, topic: str, *, subject: str, message: str) -> None:
        if self.lose("Publish"):
            raise AwsUnreachable("sns did not answer in time")
        self.topic.append((subject, message))

    def _put(self, payload: dict[str, Any]) -> dict[str, Any]:
        item = payload["Item"]
        self.kept[item["client"]["S"], item["day"]["S"]] = copy.deepcopy(item)
        return {}

    def _update(self, payload: dict[str, Any]) -> dict[str, Any]:
        id = payload["Key"]["id"]["S"]
        before = self.items.get(id, {})
        written = payload["UpdateExpression"], payload["ConditionExpression"]
        names = payload.get("ExpressionAttributeNames", {})
        values = payload.get("ExpressionAttributeValues", {})
        scope = Scope(before, names, values)
        scope.check_used(*written)
        holds = condition(written[1], scope)
        after = update(written[0], scope, before or {"id": {"S": id}}) if holds else before
        self.units += max(1, -(-max(size(before), size(after)) // 1_024))
        if not holds:
            old = payload.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
            body = {"Item": copy.deepcopy(before)} if old and before else {}
            raise AwsRefused(FAILED, "the conditional request failed", body)
        self.items[id] = after
        return {"Attributes": copy.deepcopy(after)} if "ReturnValues" in payload else {}


def size(item: Item) -> int:
    """Bytes of an item, as AWS documents their count: names and values, 3 more for a map."""

    def of(value: dict[str, Any]) -> int:
        ((kind, held),) = value.items()
        match kind:
            case "N":
                return (len(held.lstrip("-").strip("0")) + 1) // 2 + 1
            case "M":
                return 3 + sum(len(name) + 1 + of(part) for name, part in held.items())
            case "SS":
                return sum(len(one) for one in held)
            case "BOOL":
                return 1
            case _:
                return len(held.encode())

    return sum(len(name) + of(value) for name, value in item.items())
