"""Claude for the simulator: answers after a while, misbehaves by the seed, counts what it bills.

What has reached it is answered and billed there, whatever becomes of who asked.
"""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from claude_core import errors
from claude_core.messages import Request
from claude_core.reply import Reply
from tests.faults.process import CURRENT

POISON = "poison"
"""In a prompt: whoever asks this is killed by the answer."""
INPUT, OUTPUT = 100, 20


@dataclass
class Faults:
    """Shares of calls that go wrong."""

    overloaded: float = 0.0
    rate_limited: float = 0.0
    broken: float = 0.0
    reset: float = 0.0
    """Billed, and its answer lost."""
    unsent: float = 0.0


@dataclass
class SimClaude:
    """Stands in for `claude_core.client.Claude`."""

    rand: random.Random
    faults: Faults
    longest_s: float = 20.0
    per_minute: int | None = None
    """Requests a minute that are let through, of all workers together."""
    takes: Callable[[], float] | None = None
    """Seconds that an answer takes, where it is not for chance to say."""
    scripted: list[errors.KitError] = field(default_factory=list)
    """What the next calls are refused with."""
    calls: int = 0
    billed: Counter[str] = field(default_factory=Counter)
    """Completions by what was asked: each is paid."""
    excused: Counter[str] = field(default_factory=Counter)
    """Completions whose answer could not be kept: the asker was killed before it had stored it, or
    the answer was lost on its way."""
    refused: int = 0
    _bucket: tuple[float, float] | None = None
    """When it was looked at, and what was in it then."""

    async def ask(self, request: Request, *, deadline: float) -> Reply:
        loop = asyncio.get_running_loop()
        content = request.body["messages"][-1]["content"]
        asked = content if isinstance(content, str) else content[-1]["text"]
        self.calls += 1
        await asyncio.sleep(self.rand.random() * 0.05)
        self._refuse(loop.time())
        process, answered = CURRENT.get(), loop.create_future()
        assert process is not None
        takes_s = self.takes() if self.takes else 0.3 + self.rand.random() ** 3 * self.longest_s
        lost = self.rand.random() < self.faults.reset

        def answer() -> None:
            # On Claude's side: it happens, and is paid, whoever still listens.
            self.billed[asked] += 1
            if lost or answered.done() or process.dead:
                self.excused[asked] += 1
            else:
                process.in_hand.add(asked)
            if not answered.done():
                answered.set_result(None)

        loop.call_later(takes_s, answer)
        try:
            async with asyncio.timeout_at(deadline):
                await answered
        except TimeoutError as err:
            raise errors.DeadlinePassed("too late") from err
        if POISON in asked:
            process.kill()
            await asyncio.sleep(0)
        if lost:
            raise errors.AnswerLost("the connection broke")
        body = {
            "type": "message",
            "model": request.model.id,
            "content": [{"type": "text", "text": f"<{asked}>"}],
            "stop_reason": "end_turn",
            "usage": {"input_tokens": INPUT, "output_tokens": OUTPUT},
        }
        return Reply(json.dumps(body).encode(), body, headers=self._headers())

    def _refuse(self, now: float) -> None:
        if self.scripted:
            raise self.scripted.pop()
        draw, faults = self.rand.random(), self.faults
        if self.per_minute is not None:
            left = self._left(now)
            if left < 1:
                self.refused += 1
                wait_s = (1 - left) * 60 / self.per_minute
                raise errors.RateLimited("slow down", retry_after_s=wait_s)
            self._bucket = now, left - 1
        for share, error in (
            (faults.overloaded, errors.Overloaded("overloaded")),
            (faults.rate_limited, errors.RateLimited("slow down", retry_after_s=2.0)),
            (faults.broken, errors.UpstreamBroken("500")),
            (faults.unsent, errors.ConnectFailed("nothing was sent")),
        ):
            if draw < share:
                self.refused += 1
                raise error
            draw -= share

    def _left(self, now: float) -> float:
        """Requests in the bucket, which holds those of ten seconds and fills all the time."""
        assert self.per_minute is not None
        most = self.per_minute / 6
        at, left = self._bucket or (now, most)
        return min(most, left + (now - at) * self.per_minute / 60)

    def _headers(self) -> dict[str, str]:
        if self.per_minute is None:
            return {}
        name, left = "anthropic-ratelimit-requests", self._left(asyncio.get_running_loop().time())
        share = left / (self.per_minute / 6)
        return {
            f"{name}-limit": str(self.per_minute),
            f"{name}-remaining": str(int(share * self.per_minute)),
        }
