"""What a deployment holds at a moment: rows, objects and messages, as a version wrote them."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from claude_core.row import Item
from tests.doubles import AwsDouble

Json = dict[str, Any]


@dataclass(slots=True)
class Moment:
    """Rows by table, objects by key, messages by queue."""

    tables: dict[str, list[Item]] = field(default_factory=dict)
    objects: dict[str, str] = field(default_factory=dict)
    queues: dict[str, list[str]] = field(default_factory=dict)
    beside: dict[str, Any] = field(default_factory=dict)
    """What is there, too, and was not written by what is recorded: clients of a job, batches at
    Claude."""

    def to_json(self) -> Json:
        return {
            "tables": self.tables,
            "objects": self.objects,
            "queues": self.queues,
            "beside": self.beside,
        }

    @classmethod
    def from_json(cls, found: Json) -> "Moment":
        return cls(**found)


@dataclass(slots=True)
class Recording:
    """One part of a deployment at several moments."""

    moments: dict[str, Moment] = field(default_factory=dict)
    known: dict[str, str] = field(default_factory=dict)
    """What a reader has to know besides, such as the time."""
    names: dict[str, str] = field(default_factory=dict)
    """Values that are another each time, with what they are: for the formats alone."""
    events: list[str] = field(default_factory=list)
    """What the event bus was told."""

    def to_json(self) -> Json:
        moments = {name: moment.to_json() for name, moment in self.moments.items()}
        return {"known": self.known, "moments": moments}

    @classmethod
    def from_json(cls, found: Json) -> "Recording":
        moments = {name: Moment.from_json(one) for name, one in found["moments"].items()}
        return cls(moments, found["known"])

    def rows(self) -> Iterator[tuple[str, Item]]:
        """Each with its table."""
        for moment in self.moments.values():
            for table, items in moment.tables.items():
                yield from ((table, item) for item in items)


def held_by(aws: AwsDouble, *tables: str) -> Moment:
    """The rows of tables as they are now."""
    scan = aws.boto("dynamodb").scan
    return Moment({table: in_order(scan(TableName=table)["Items"]) for table in tables})


def load(aws: AwsDouble, moment: Moment) -> None:
    """Put recorded rows into tables that are there."""
    for table, items in moment.tables.items():
        for item in items:
            aws.boto("dynamodb").put_item(TableName=table, Item=item)


def in_order(items: Iterable[Item]) -> list[Item]:
    """Rows always in the same order, their sets, too."""
    rows = [{name: _plain(value) for name, value in item.items()} for item in items]
    return sorted(rows, key=lambda row: json.dumps(row.get("id") or row, sort_keys=True))


def _plain(value: Any) -> Any:
    ((kind, inner),) = value.items()
    if kind == "M":
        return {kind: {name: _plain(one) for name, one in inner.items()}}
    return {kind: sorted(inner) if kind in ("SS", "NS") else inner}
