"""EventBridge in memory: PutEvents, entry by entry, and a record of what was put."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.cloud.refusing import Mistake, Parameters, Payload, refused, typed

MOST_ENTRIES = 10
LARGEST = 262_144
"""Bytes of all entries together: the API takes more by now, the kit keeps to the older limit."""
LONGEST_TYPE = 128
TIME_BYTES = 14
NEEDED = ("Source", "DetailType", "Detail")
PUT = Parameters("Entries")
ENTRY = Parameters("", "Source DetailType Detail EventBusName Resources Time TraceHeader")


@dataclass(frozen=True, slots=True)
class Event:
    """An event that was taken; `at` in seconds since the epoch."""

    id: str
    bus: str
    source: str
    type: str
    detail: dict[str, Any]
    at: float


class Events:
    """The buses of an account; `fails` may name an error for an entry, as "InternalFailure"."""

    def __init__(self, clock: Callable[[], float], chance: random.Random) -> None:
        self.taken: list[Event] = []
        self.buses = {"default"}
        self.fails: Callable[[Payload], str | None] = lambda entry: None
        self._clock, self._chance = clock, chance

    async def call(self, action: str, asked: Payload) -> dict[str, Any]:
        if action != "PutEvents":
            raise Mistake(f"this EventBridge has no {action}")
        PUT.check(asked)
        entries: list[Payload] = typed(asked, "Entries", list)
        if not 1 <= len(entries) <= MOST_ENTRIES:
            raise refused("ValidationException", f"entries must have 1 to {MOST_ENTRIES} members")
        for entry in entries:
            ENTRY.check(entry)
        if sum(map(size, entries)) > LARGEST:
            raise refused("ValidationException", "Total size of the entries is over the limit.")
        if not any(all(entry.get(name) for name in NEEDED) for entry in entries):
            raise refused("ValidationException", f"no entry has all of {', '.join(NEEDED)}")
        answers = [self._put(entry) for entry in entries]
        failed = sum("ErrorCode" in one for one in answers)
        return {"FailedEntryCount": failed, "Entries": answers}

    def _put(self, entry: Payload) -> dict[str, Any]:
        code = self._wrong(entry) or self.fails(entry)
        if code:
            return {"ErrorCode": code, "ErrorMessage": f"{code}: the entry was not taken"}
        event = Event(
            id=f"{self._chance.getrandbits(128):032x}",
            bus=entry.get("EventBusName", "default"),
            source=entry["Source"],
            type=entry["DetailType"],
            detail=json.loads(entry["Detail"]),
            at=self._clock(),
        )
        self.taken.append(event)
        return {"EventId": event.id}

    def _wrong(self, entry: Payload) -> str | None:
        if not all(typed(entry, name, str) for name in NEEDED):
            return "InvalidArgument"
        if len(entry["DetailType"]) > LONGEST_TYPE:
            return "InvalidArgument"
        if entry.get("EventBusName", "default") not in self.buses:
            return "InvalidArgument"
        if entry["Source"].startswith("aws."):
            return "NotAuthorizedForSourceException"
        try:
            detail = json.loads(entry["Detail"])
        except ValueError:
            return "MalformedDetail"
        return None if isinstance(detail, dict) else "MalformedDetail"


def size(entry: Payload) -> int:
    """As AWS counts it:
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevent-size.html"""
    texts = [typed(entry, name, str, "") for name in NEEDED] + entry.get("Resources", [])
    return sum(len(text.encode()) for text in texts) + (TIME_BYTES if "Time" in entry else 0)
