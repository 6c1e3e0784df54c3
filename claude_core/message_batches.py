"""Claude's Message Batches API: many requests in one, answered within a day at half the price.

https://platform.claude.com/docs/en/build-with-claude/batch-processing
"""

import asyncio
import datetime as dt
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from claude_core.client import Claude
from claude_core.errors import AnswerLost
from claude_core.wire import Json

PATH = "/v1/messages/batches"
ASK_S = 20.0
PAGE = 100
UNREADABLE = "Claude's answer about a batch could not be read"


@dataclass(frozen=True, slots=True)
class MessageBatch:
    """A batch as Claude shows it."""

    id: str
    ended: bool
    created: float
    """Seconds since the epoch."""
    total: int
    """Requests in it."""

    @classmethod
    def from_json(cls, shown: Any) -> "MessageBatch":
        """Raises: AnswerLost, where it is no batch."""
        try:
            return cls(
                id=str(shown["id"]),
                ended=shown["processing_status"] == "ended",
                created=dt.datetime.fromisoformat(shown["created_at"]).timestamp(),
                total=sum(int(count) for count in shown["request_counts"].values()),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as err:
            raise AnswerLost(UNREADABLE) from err


class MessageBatches:
    """The batches of an organisation. Every method raises as `Claude.ask` does."""

    def __init__(self, claude: Claude) -> None:
        self._claude = claude

    async def create(self, body: bytes, *, within_s: float) -> MessageBatch:
        """Hand a batch in, once: after an error that leaves it open it may be there.

        Args:
            body: `{"requests": [{"custom_id", "params"}, ...]}`.
        """
        answer = await self._claude.post(PATH, body, deadline=_deadline(within_s))
        return MessageBatch.from_json(_parsed(answer))

    async def get(self, id: str) -> MessageBatch:
        """How a batch stands; not found for up to a minute after it was made."""
        return MessageBatch.from_json(_parsed(await self._get(f"{PATH}/{id}")))

    async def since(self, when: float) -> list[MessageBatch]:
        """Those that were made since then, the newest first."""
        found: list[MessageBatch] = []
        path = f"{PATH}?limit={PAGE}"
        while True:
            page = _parsed(await self._get(path))
            batches = [MessageBatch.from_json(one) for one in page.get("data") or []]
            found += [batch for batch in batches if batch.created >= when]
            if not batches or batches[-1].created < when or not page.get("has_more"):
                return found
            path = f"{PATH}?limit={PAGE}&after_id={batches[-1].id}"

    async def results(self, id: str, *, within_s: float) -> AsyncGenerator[bytes]:
        """The results of one that has ended, line by line, in any order; close it (`aclosing`)."""
        rest = b""
        reading = self._claude.read(f"{PATH}/{id}/results", deadline=_deadline(within_s))
        async with aclosing(reading):
            async for chunk in reading:
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    if line:
                        yield line
        if rest:
            yield rest

    async def _get(self, path: str) -> bytes:
        return await self._claude.get(path, deadline=_deadline(ASK_S))


def _deadline(within_s: float) -> float:
    return asyncio.get_running_loop().time() + within_s


def _parsed(answer: bytes) -> Json:
    try:
        parsed = json.loads(answer)
    except ValueError as err:
        raise AnswerLost(UNREADABLE) from err
    if not isinstance(parsed, dict):
        raise AnswerLost(UNREADABLE)
    return parsed
