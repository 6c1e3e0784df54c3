"""S3's word of a new object, as a queue carries it: the only place that knows its shapes."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

TEST = "s3:TestEvent"
"""Sent once, when a bucket is told to notify."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One version of one object was put there."""

    bucket: str
    key: str
    version: str | None
    """None in a bucket without versions."""
    mark: str
    """What tells this version of its key from others, there too."""
    size: int


def notices(body: str) -> list[Notice]:
    """All that a message tells of: an S3 notification, or an event of EventBridge.

    Raises:
        ValueError: it is neither.
    """
    try:
        told = json.loads(body)
        if told.get("Event") == TEST:
            return []
        if told.get("source") == "aws.s3":
            return [_bridged(told["detail"])]
        return [
            _notified(one["s3"])
            for one in told["Records"]
            if one["eventName"].startswith("ObjectCreated:")
        ]
    except (AttributeError, KeyError, TypeError, ValueError) as err:
        raise ValueError("no notice of S3") from err


def _notified(told: dict[str, Any]) -> Notice:
    # Its keys are escaped as those of a form.
    found = told["object"]
    version = found.get("versionId")
    return Notice(
        bucket=told["bucket"]["name"],
        key=unquote_plus(found["key"]),
        version=version,
        mark=version or f"{found['eTag']} {found.get('sequencer')}",
        size=int(found.get("size", 0)),
    )


def _bridged(told: dict[str, Any]) -> Notice:
    found = told["object"]
    version = found.get("version-id")
    return Notice(
        bucket=told["bucket"]["name"],
        key=found["key"],
        version=version,
        mark=version or f"{found['etag']} {found.get('sequencer')}",
        size=int(found.get("size", 0)),
    )
