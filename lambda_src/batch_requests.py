"""What a batch asks: each job's request, and all of them as one body.

Document jobs of one batch that have an instruction or a document in common share Claude's prompt
cache, for an hour: a batch takes longer than five minutes.
"""

import json
from collections import Counter
from dataclasses import dataclass

from claude_core.aws import AwsRefused
from claude_core.errors import AwsUnreachable, InvalidRequest, KitError
from claude_core.jobs.asking import cacheable, request_of
from claude_core.jobs.files import Files
from claude_core.jobs.job import Job
from claude_core.models import Model
from claude_core.wire import Json, to_bytes

GONE = "what the job asks is not kept any more; send it again"


@dataclass(frozen=True, slots=True)
class Asked:
    """A job that was claimed, and what it asks as it is kept."""

    job: Job
    text: str | bytes


@dataclass(frozen=True, slots=True)
class Part:
    """One job's part of a batch."""

    job: Job
    entry: bytes
    """As it stands in the body."""
    model: Model
    cost: int
    """The most that it can cost, in nano-dollars."""
    needs: frozenset[str]


@dataclass(slots=True)
class Unasked:
    """A job that is not asked, and why."""

    job: Job
    error: KitError


async def read(files: Files, job: Job) -> Asked | Unasked:
    """What a claimed job asks, wherever that is.

    Raises:
        AwsUnreachable.
    """
    if "body" in job.item:
        return Asked(job.light, job.item["body"]["S"])
    try:
        return Asked(job.light, await files.read(job.body_at))
    except AwsRefused as err:
        if err.code not in ("NoSuchKey", "AccessDenied"):
            raise AwsUnreachable(f"the bucket refused: {err}") from err
        return Unasked(job.light, InvalidRequest(GONE))


def parts(intent: str, asked: list[Asked]) -> tuple[list[Part], list[Unasked]]:
    """The parts of a batch; a job whose request is not served any more is none. Empties `asked`,
    so that everything is not there twice."""
    seen = Counter(digest for one in asked for _, digest in _cacheable(json.loads(one.text)))
    made: list[Part] = []
    refused: list[Unasked] = []
    for one in reversed([asked.pop() for _ in range(len(asked))]):
        try:
            made.append(_part(intent, one, seen))
        except KitError as err:
            refused.append(Unasked(one.job, err))
    return made, refused


def body(parts: list[Part]) -> bytes:
    """A batch, as it is handed in."""
    return b'{"requests":[' + b",".join(part.entry for part in parts) + b"]}"


def custom_id(intent: str, job: str) -> str:
    return f"{intent}_{job}"


def _part(intent: str, asked: Asked, seen: Counter[str]) -> Part:
    body = json.loads(asked.text)
    shared = None
    for name, digest in _cacheable(body):
        if seen[digest] > 1:
            shared = name
    # As long as its model writes: in a batch nobody waits at a connection.
    request = request_of(body, streamed=True, shared=shared, hour=True)
    params = {name: value for name, value in request.body.items() if name != "stream"}
    entry = {"custom_id": custom_id(intent, asked.job.id), "params": params}
    cost = request.worst(batch=True)
    return Part(asked.job, to_bytes(entry), request.model, cost, request.needs)


def _cacheable(body: Json) -> list[tuple[str, str]]:
    try:
        return list(cacheable(body["doc"])) if "doc" in body else []
    except KitError:
        return []  # its model is not served any more: so says its request, too
