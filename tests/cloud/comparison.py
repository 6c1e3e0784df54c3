"""The double of DynamoDB and moto, asked the same."""

import json
from collections import Counter
from dataclasses import replace
from typing import Any

from claude_core.aws import AwsRefused
from tests.cloud.cloud import Do
from tests.cloud.conditions import condition
from tests.cloud.dynamo import Dynamo
from tests.cloud.dynamo_requests import Request
from tests.cloud.moto_differences import DIFFERENCES
from tests.cloud.moto_dynamo import Moto, Outcome, comparable
from tests.cloud.moto_shapes import Seen
from tests.cloud.refusing import Mistake, Payload
from tests.cloud.table import Table
from tests.cloud.values import Item

WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem"})


class Comparison:
    """Every request goes to both; what they answer must be the same, and what they hold at the end.

    It also stands around the calls of a `Cloud`: what the kit sends is compared as it is sent.
    """

    def __init__(self, moto: Moto, dynamo: Dynamo) -> None:
        self.moto, self.dynamo = moto, dynamo
        self.compared = Counter[str]()
        """Requests, by what came of them."""
        self.left_out = Counter[str]()
        """Requests by the difference that is known of them; of some just a part was left out."""
        self.differences: list[str] = []
        """What was found, also if the one that sent it has caught the error."""

    def check(self) -> None:
        """Nothing was found, and both hold the same."""
        assert not self.differences, self.differences[0]
        for name, table in self.dynamo.tables.items():
            ours, theirs = list(table.items.values()), self.moto.items(name)
            assert _sorted(ours) == _sorted(theirs), f"{name} holds other items"

    def ask(self, request: Request) -> None:
        """One request, and the pages after it."""
        seen = self.seen(request)
        ours = Outcome.of(self.dynamo.do, request.action, request.asked)
        self._compare(seen, ours)
        if last := ours.answer.get("LastEvaluatedKey"):
            self.ask(replace(request, asked={**request.asked, "ExclusiveStartKey": last}))

    async def __call__(self, service: str, action: str, payload: Payload, do: Do) -> Any:
        if service != "dynamodb":
            return await do()
        seen = self.seen(Request(action, payload))
        try:
            answer = await do()
        except (AwsRefused, Mistake) as err:
            self._compare(seen, Outcome.failed(err))
            raise
        self._compare(seen, Outcome(comparable(answer)))
        return answer

    def _compare(self, seen: Seen, ours: Outcome) -> None:
        request = seen.request
        known = {name: of for name, of in DIFFERENCES.items() if of.applies(seen)}
        self.left_out.update(known.keys())
        parts = {of.part for of in known.values()}
        if "" in parts:
            if request.action in WRITES:
                self._restore(request)
            return
        theirs = Outcome.of(self.moto.do, request.action, request.asked)
        self.compared[f"{request.action} {ours.error}".strip()] += 1
        if self._last_page(request, ours, theirs):
            parts = {*parts, "LastEvaluatedKey"}
        if ours.without(parts) != theirs.without(parts):
            self.differences.append(
                f"{request.action} {json.dumps(request.asked, ensure_ascii=False)}\n"
                f"about {json.dumps(seen.items, ensure_ascii=False)}\nours: {ours}\nmoto: {theirs}"
            )
            raise AssertionError(self.differences[-1])
        if "stored" in parts and ours.error:
            self._restore(request)

    def _last_page(self, request: Request, ours: Outcome, theirs: Outcome) -> bool:
        """Whether just the double says that there may be more, and there is nothing more."""
        last = ours.answer.get("LastEvaluatedKey")
        if last is None or "LastEvaluatedKey" in theirs.answer:
            return False
        if ours.answer["ScannedCount"] != request.asked.get("Limit"):
            return False
        next_page = self.dynamo.do("Query", {**request.asked, "ExclusiveStartKey": last})
        return next_page["ScannedCount"] == 0 and "LastEvaluatedKey" not in next_page

    def seen(self, request: Request) -> Seen:
        """A request, and the items that it is about."""
        asked = request.asked
        tables = asked.get("RequestItems", {asked.get("TableName", ""): {}})
        ((name, of),) = tables.items()
        table = self.dynamo.tables[name]
        if request.action == "Query":
            index = table.indexes.get(asked.get("IndexName", ""))
            items = list(table.items.values())
            if index is not None:
                items = [index.show(item) for item in index.items.values()]
            every, selects = Seen(request, table.keys), condition(asked["KeyConditionExpression"])
            return replace(every, items=[one for one in items if selects.holds(every.scope(one))])
        keys = of["Keys"] if of else [asked.get("Key") or asked["Item"]]
        found = [table.items.get(table.keys.of(key)) for key in keys]
        return Seen(request, table.keys, [dict(item) for item in found if item is not None])

    def _restore(self, request: Request) -> None:
        """Let moto hold the double's item."""
        name = request.asked["TableName"]
        table = self.dynamo.tables[name]
        given = request.asked.get("Key") or request.asked["Item"]
        item = table.items.get(table.keys.of(given))
        if item is not None:
            self._do("PutItem", name, Item=item)
        elif {"S": ""} not in given.values():
            self._do("DeleteItem", name, Key=_key(table, given))

    def _do(self, action: str, table: str, **asked: Any) -> dict[str, Any]:
        return self.moto.do(action, {"TableName": table, **asked})


def _key(table: Table, item: Item) -> Item:
    return {name: item[name] for name in table.keys.names}


def _sorted(items: list[Item]) -> list[Any]:
    return sorted(
        (comparable(item) for item in items), key=lambda item: json.dumps(item, sort_keys=True)
    )
