"""Claude's batches for the simulator: what it was given, what came of it, and what it billed.

Beside each batch somebody else makes one of the same size, with the same key.
"""

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from claude_core import errors
from claude_core.jobs.job import owner_of
from claude_core.message_batches import MessageBatch
from claude_core.models import resolve
from claude_core.usage import Usage
from tests.faults.failpoints import Failpoints

USAGE = {"input_tokens": 100, "output_tokens": 20, "service_tier": "batch"}
ERRORS = {"invalid": "invalid_request_error", "overloaded": "overloaded_error"}
LONG = "x" * 250_000
"""An answer that no row takes."""


@dataclass(slots=True)
class Made:
    """A batch that is there."""

    id: str
    created: float
    ends: float
    requests: list[dict[str, Any]]
    blips: int
    """So often it is not found yet."""
    cuts: int
    """So often its results end early, and look whole."""
    lines: list[bytes] = field(default_factory=list)
    read: int = 0
    """Times that its results were asked for."""


class SimBatches:
    """Stands in for `claude_core.message_batches.MessageBatches`."""

    def __init__(
        self,
        now: Callable[[], float],
        rand: random.Random,
        points: Failpoints,
        *,
        takes_s: float,
        blips: int,
        cuts: int,
        unlisted_s: float,
    ) -> None:
        """
        Args:
            takes_s: from creation to the end; unlisted_s: that the list leaves it out at first.
            blips, cuts: of each batch.
        """
        self._now, self._rand, self._points = now, rand, points
        self._takes_s, self._unlisted_s = takes_s, unlisted_s
        self._blips, self._cuts = blips, cuts
        self.made: dict[str, Made] = {}
        self.fates: dict[str, Sequence[str]] = {}
        """By job: what comes of it, each time that it is in a batch; else it succeeds."""
        self.refusals: list[Exception] = []
        """What the next creations are answered with."""
        self.given: Counter[str] = Counter()
        """By job: batches that it was in."""
        self.billed: Counter[str] = Counter()
        """By job: answers."""
        self.cost: Counter[str] = Counter()
        """By client: nano-dollars."""
        self.held: Counter[str] = Counter()
        """By job: batches that hold it now and have not ended."""

    async def create(self, body: bytes, *, within_s: float) -> MessageBatch:
        async with self._points.call(errors.AnswerLost("the connection broke")):
            if self.refusals:
                raise self.refusals.pop(0)
            requests = json.loads(body)["requests"]
            ids = [one["custom_id"] for one in requests]
            assert len({*ids}) == len(ids) > 0
            assert all(len(id) <= 64 for id in ids)
            assert not any("stream" in one["params"] for one in requests)
            made = self._make(requests)
            self._make([{**one, "custom_id": f"stranger_{one['custom_id']}"} for one in requests])
            jobs = [job_of(one) for one in ids]
            for job in jobs:
                assert not self.held[job], f"{job} is in two batches at once"
            self.given.update(jobs)
            self.held.update(jobs)
        return self._shown(made)

    async def get(self, id: str) -> MessageBatch:
        async with self._points.call(errors.AnswerLost("the connection broke")):
            made = self._found(id)
        return self._shown(made)

    async def since(self, when: float) -> list[MessageBatch]:
        async with self._points.call(errors.AnswerLost("the connection broke")):
            seen = self._now() - self._unlisted_s
            found = [one for one in self.made.values() if when <= one.created <= seen]
        return [self._shown(one) for one in reversed(found)]

    async def results(self, id: str, *, within_s: float) -> AsyncGenerator[bytes]:
        async with self._points.call(errors.AnswerLost("the connection broke")):
            made = self._found(id)
            self._end(made)
            assert made.lines
            made.read += 1
            made.cuts -= 1
            whole = made.cuts < 0
        for at, line in enumerate(made.lines if whole else made.lines[::2]):
            if at % 10 == 0:
                await asyncio.sleep(0.001)
            yield line

    def _make(self, requests: list[dict[str, Any]]) -> Made:
        now, id = self._now(), f"msgbatch_{len(self.made)}"
        made = Made(id, now, now + self._takes_s, requests, self._blips, self._cuts)
        self.made[id] = made
        return made

    def _found(self, id: str) -> Made:
        made = self.made[id]
        made.blips -= 1
        if made.blips >= 0:
            raise errors.UpstreamRefused("not found", status=404, type="not_found_error")
        return made

    def _shown(self, made: Made) -> MessageBatch:
        self._end(made)
        return MessageBatch(made.id, bool(made.lines), made.created, len(made.requests))

    def _end(self, made: Made) -> None:
        if made.lines or self._now() < made.ends:
            return
        for one in made.requests:
            stranger = one["custom_id"].startswith("stranger_")
            job = "" if stranger else job_of(one["custom_id"])
            result = self._result(job, one["params"]) if job else {"type": "expired"}
            line = {"custom_id": one["custom_id"], "result": result}
            made.lines.append(json.dumps(line).encode())
        self._rand.shuffle(made.lines)

    def _result(self, job: str, params: dict[str, Any]) -> dict[str, Any]:
        self.held[job] -= 1
        fates = self.fates.get(job, ())
        fate = fates[min(self.given[job], len(fates)) - 1] if fates else "succeeded"
        if fate in ("canceled", "expired"):
            return {"type": fate}
        if fate in ERRORS:
            error = {"type": ERRORS[fate], "message": f"Claude says {fate}"}
            return {"type": "errored", "error": {"type": "error", "error": error}}
        self.billed[job] += 1
        self.cost[owner_of(job)] += resolve(params["model"]).cost(Usage.from_json(USAGE))
        message = {
            "type": "message",
            "model": params["model"],
            "content": [{"type": "text", "text": LONG if fate == "long" else f"<{job}>"}],
            "stop_reason": "end_turn",
            "usage": USAGE,
        }
        return {"type": "succeeded", "message": message}


def job_of(custom_id: str) -> str:
    return custom_id.partition("_")[2]
