"""moto's DynamoDB, and the same requests to it and to the double."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from moto.moto_server.werkzeug_app import create_backend_app
from werkzeug.test import Client

from claude_core.aws import AwsRefused
from tests.cloud.dynamo import Dynamo
from tests.cloud.index import Projection
from tests.cloud.keys import Keys
from tests.cloud.refusing import Mistake, Payload, refused
from tests.cloud.table import Table
from tests.cloud.values import EXACT, Item

UNASKED = {"ConsumedCapacity", "ConsumedCapacityUnits"}
REGION = "eu-north-1"
"""Not the one of other tests: moto has one memory for a process."""
SIGNED = f"AWS4-HMAC-SHA256 Credential=testing/20261124/{REGION}/dynamodb/aws4_request"


class Crash(Exception):
    """moto failed with an error that is none of DynamoDB's: its server answers with HTTP 500."""


class Moto:
    """moto's server without a socket: requests and answers are those of the wire."""

    def __init__(self) -> None:
        self._client = Client(create_backend_app("dynamodb"))

    def do(self, action: str, asked: Payload) -> dict[str, Any]:
        headers = {"authorization": SIGNED, "x-amz-target": f"DynamoDB_20120810.{action}"}
        try:
            answer = self._client.post("/", data=json.dumps(asked), headers=headers)
        except Exception as err:
            raise Crash(repr(err)) from err
        body = json.loads(answer.get_data())
        if answer.status_code == 200:
            return dict(body)
        code = str(body.pop("__type")).rpartition("#")[2]
        raise refused(code, body.pop("message", ""), **body)

    @contextmanager
    def tables_of(self, dynamo: Dynamo) -> Iterator[None]:
        """The tables of the double, and the items in them, for a while."""
        try:
            for name, table in dynamo.tables.items():
                self._create(name, table)
                for item in table.items.values():
                    self.do("PutItem", {"TableName": name, "Item": item})
            yield
        finally:
            for name in dynamo.tables:
                self.do("DeleteTable", {"TableName": name})

    def items(self, table: str) -> list[Item]:
        found: list[Item] = comparable(self.do("Scan", {"TableName": table})["Items"])
        return found

    def _create(self, name: str, table: Table) -> None:
        indexes = table.indexes.values()
        schemas = [table.keys, *(index.keys for index in indexes)]
        types = {key: schema.type_of(key) for schema in schemas for key in schema.names}
        asked: Payload = {
            "TableName": name,
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": _schema(table.keys),
            "AttributeDefinitions": [
                {"AttributeName": key, "AttributeType": type} for key, type in types.items()
            ],
        }
        if indexes:
            asked["GlobalSecondaryIndexes"] = [
                {
                    "IndexName": index.name,
                    "KeySchema": _schema(index.keys),
                    "Projection": _projected(index.projection),
                }
                for index in indexes
            ]
        self.do("CreateTable", asked)


def _schema(keys: Keys) -> list[dict[str, str]]:
    return [
        {"AttributeName": name, "KeyType": type}
        for name, type in zip(keys.names, ("HASH", "RANGE"), strict=False)
    ]


def _projected(projection: Projection) -> dict[str, Any]:
    if projection.everything:
        return {"ProjectionType": "ALL"}
    if projection.keys_only:
        return {"ProjectionType": "KEYS_ONLY"}
    return {"ProjectionType": "INCLUDE", "NonKeyAttributes": sorted(projection.include)}


@dataclass(frozen=True)
class Outcome:
    """What came of a request: an answer, or the code of an error and the item that it shows."""

    answer: dict[str, Any]
    error: str = ""

    @classmethod
    def of(
        cls, do: Callable[[str, Payload], dict[str, Any]], action: str, asked: Payload
    ) -> "Outcome":
        try:
            return cls(comparable(do(action, asked)))
        except (AwsRefused, Mistake, Crash) as err:
            return cls.failed(err)

    @classmethod
    def failed(cls, err: Exception) -> "Outcome":
        if isinstance(err, AwsRefused):
            item = err.body.get("Item")
            return cls({"Item": comparable(item)} if item else {}, err.code)
        if isinstance(err, Crash):
            return cls({"crash": str(err)}, "Crash")
        return cls({}, str(err).partition(":")[0])

    def without(self, parts: set[str]) -> "Outcome":
        found = {name: part for name, part in self.answer.items() if name not in parts}
        return Outcome(found, self.error)


def comparable(answer: Any) -> Any:
    """An answer without what is not asked for, and with sets and numbers as DynamoDB writes them.

    Numbers come back from moto as they were given, or as Python adds them (`1.0`, `1E+3`):
    DynamoDB trims zeros, which the double's own tests pin. Sets have no order, nor have the items
    of BatchGetItem.
    """
    if isinstance(answer, list):
        return [comparable(one) for one in answer]
    if not isinstance(answer, dict):
        return answer
    match [*answer.items()]:
        case [("N", str(held))]:
            return {"N": _number(held)}
        case [("NS", list(held))]:
            return {"NS": sorted(map(_number, held))}
        case [("SS" | "BS" as kind, list(held))]:
            return {kind: sorted(held)}
    found = {name: comparable(one) for name, one in answer.items() if name not in UNASKED}
    for name in ("Attributes", "UnprocessedKeys"):
        if found.get(name) == {}:
            del found[name]
    for items in found.get("Responses", {}).values():
        items.sort(key=str)
    return found


def _number(text: str) -> str:
    found = Decimal(text).normalize(EXACT)
    return f"{found:f}" if found else "0"
