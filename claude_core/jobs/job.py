"""A job, and what its row in the jobs table holds.

id                          job_CLIENT_22 characters: of the Idempotency-Key, or random
v                           version of this layout, of `stored_versions.py`
client, created             whose, and when: ISO 8601, UTC, to the microsecond
lane, long                  now or batch; whether it runs where long answers may
doc_id, result_bucket       the caller's own word for it; where a copy of the result goes
model                       the model's id
body, or body_at            what is asked, as JSON; in S3 where it is too large for a row
sha256, bytes               of the body
status                      of `Status`
listed                      STATUS#CREATED: the sort key of the index `by_client`
waiting                     index `waiting`: the model's id, while a batch may take it;
                            batch#INTENT, while one holds it, or has not told of its end
fence                       counts the claims: who holds an older one writes nothing
lease                       until when its claim holds, in seconds since the epoch
attempts, crashes           claims that count; those of them that nobody ended
batch, expiries             the intent of the batch that holds it, or in which it ended; whether
                            Claude did not get to it once
result, or result_at        Claude's message, as JSON; in S3 where it is too large
usage, cost, stop_reason    of the result; cost in nano-dollars
error                       why it failed: a type of the Messages API, and words for its owner
finished, expires_at        when it was over; when it may be forgotten (TTL)
"""

import hashlib
import json
import re
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from claude_core.clients import ID_LENGTH
from claude_core.models import NANO
from claude_core.row import Item
from claude_core.stored_versions import VERSIONS
from claude_core.wire import Json

VERSION = VERSIONS["job"]
PREFIX = "job_"
ID_AT = len(PREFIX)
JOB_ID = re.compile(r"job_[A-Za-z0-9_-]{8}_[A-Za-z0-9_-]{22}")
ROW_BYTES = 200_000
"""Of a body, or a result, that a row holds; DynamoDB takes 400 KB of both."""

HEAVY = ("body", "result")


class Status(StrEnum):
    """What has become of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    BATCHED = "batched"
    DONE = "done"
    FAILED = "failed"
    """Another attempt would fail, too; `error` says why."""
    DEAD = "dead"
    """Five attempts were not enough; its message is among the dead letters."""
    CANCELLED = "cancelled"

    @property
    def over(self) -> bool:
        return self in (Status.DONE, Status.FAILED, Status.DEAD, Status.CANCELLED)

    @property
    def shelf(self) -> str:
        """Where the index lists it: what is over by its status, the rest together."""
        return self.value if self.over else OPEN


OPEN = "open"


@dataclass(frozen=True, slots=True)
class Job:
    """One job, as its row has it."""

    item: Item

    def __getattr__(self, name: str) -> Any:
        """A text or a number of the row; None where it is absent."""
        found = self.item.get(name)
        if found is None:
            return None
        ((kind, value),) = found.items()
        return int(value) if kind == "N" else value

    @property
    def id(self) -> str:
        return str(self.item["id"]["S"])

    @property
    def client(self) -> str:
        return str(self.item["client"]["S"])

    @property
    def status(self) -> Status:
        return Status(self.item["status"]["S"])

    @property
    def place(self) -> str:
        """Its place on a shelf of the index: the time, and what tells two of one moment apart."""
        return f"{self.created}#{self.id[-6:]}"

    @property
    def light(self) -> "Job":
        """The same without what it asks and what it got."""
        kept = {name: value for name, value in self.item.items() if name not in HEAVY}
        return Job(kept)

    @property
    def error(self) -> Json | None:
        text = self.item.get("error")
        return json.loads(text["S"]) if text else None

    @property
    def body_json(self) -> Json | None:
        """What it asks; None where that is in S3."""
        text = self.item.get("body")
        return json.loads(text["S"]) if text else None

    def to_result(self) -> Json | None:
        """Claude's message; None where there is none, or it is in S3."""
        text = self.item.get("result")
        return json.loads(text["S"]) if text else None

    def to_json(self, result: Json | None = None) -> Json:
        """As the API shows it to its owner."""
        shown = {
            "job_id": self.id,
            "status": self.status.value,
            "lane": self.lane,
            "model": self.model,
            "doc_id": self.doc_id,
            "created_at": self.created,
            "finished_at": self.finished,
            "attempts": self.attempts,
            "stop_reason": self.stop_reason,
            "usage": json.loads(self.usage) if self.usage else None,
            "cost_usd": None if self.cost is None else self.cost / NANO,
            "error": self.error,
            "result": result,
        }
        if result is not None and self.doc_id is not None:
            shown["text"] = "".join(
                block["text"] for block in result["content"] if block["type"] == "text"
            )
        return {name: value for name, value in shown.items() if value is not None}


def new_job_id(client: str, idempotency_key: str | None) -> str:
    """The id of a client's job: the same for the same key, so that the table keeps it once."""
    if idempotency_key is None:
        return f"{PREFIX}{client}_{secrets.token_urlsafe(16)}"
    digest = hashlib.sha256(f"{client}\0{idempotency_key}".encode()).digest()
    return f"{PREFIX}{client}_{urlsafe_b64encode(digest)[:22].decode()}"


def owner_of(job_id: str) -> str:
    """The client that a job's id names."""
    return job_id[ID_AT : ID_AT + ID_LENGTH]
