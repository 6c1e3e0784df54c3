"""Answers as they are planned for the stand-in, in the words of the fake Claude's plans."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.websockets import WebSocket

from local.fake_claude.tokens import pieces

Frame = dict[str, Any]
USUAL = "This is the usual answer. It has **two** sentences."
HALVES = ("max_tokens", "refusal", "model_context_window_exceeded")
PRICE = 10e-6
"""US dollars a token of the answer; what was read is free here."""


@dataclass(frozen=True)
class Planned:
    """What becomes of one message: `answer`, `hold`, `stream_error`, `overloaded`, `bad_request`,
    or one of HALVES."""

    name: str = "answer"
    text: str = USUAL
    after: int = 0
    """Tokens that are told before it holds, or fails."""
    message: str = "Overloaded"

    @classmethod
    def of(cls, behaviour: str | Mapping[str, Any]) -> "Planned":
        return cls(behaviour) if isinstance(behaviour, str) else cls(**behaviour)


@dataclass
class Answer:
    """One answer on its way: every frame of it so far, and who listens."""

    id: str
    model: str
    planned: Planned
    asked: str
    frames: list[Frame] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: bool = False
    drained: bool = False
    interrupted: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def over(self) -> bool:
        return bool(self.frames) and self.frames[-1]["type"] in ("done", "error")

    def cancel(self) -> None:
        self.cancelled = True
        self.interrupted.set()

    def drain(self) -> None:
        self.drained = True
        self.interrupted.set()

    def tell(self, type: str, **more: Any) -> None:
        seq = {} if type == "error" else {"seq": len(self.frames) + 1}
        self.frames.append({"type": type, "id": self.id, **seq, **more})
        self.changed.set()

    async def tell_all(self, socket: WebSocket, after: int) -> None:
        """Send every frame from `after` on, those to come too."""
        while True:
            self.changed.clear()
            for frame in self.frames[after:]:
                after += 1
                await socket.send_json(frame)
            if self.over and after >= len(self.frames):
                return
            await self.changed.wait()

    async def run(self, released: asyncio.Event) -> None:
        """Say what is planned, a token at a time; `released` lets go of what is held."""
        plan, words = self.planned, list(pieces(self.planned.text))
        if plan.name in ("overloaded", "bad_request"):
            kind = "overloaded_error" if plan.name == "overloaded" else "invalid_request_error"
            return self.fail(kind, plan.message, plan.name == "overloaded")
        if plan.name in HALVES:
            words = words[: len(words) // 2]
        for number, word in enumerate(words):
            if number == plan.after:
                if plan.name == "hold":
                    await self._held(released)
                if plan.name == "stream_error":
                    return self.fail("overloaded_error", plan.message, True)
            if self.cancelled or self.drained:
                break
            self.tell("delta", text=word)
            await asyncio.sleep(0)
        reason = "cancelled" if self.cancelled else plan.name if plan.name in HALVES else "end_turn"
        return self.end(reason, incomplete=self.cancelled or self.drained)

    def end(self, reason: str, *, incomplete: bool) -> None:
        told = len(self.frames)
        usage = {"input_tokens": len(pieces(self.asked)), "output_tokens": told}
        more = {"incomplete": True} if incomplete else {}
        self.tell(
            "done", usage=usage, cost_usd=told * PRICE, stop_reason=reason, model=self.model, **more
        )

    def fail(self, kind: str, message: str, retryable: bool) -> None:
        self.tell("error", error={"type": kind, "message": message}, retryable=retryable)

    async def _held(self, released: asyncio.Event) -> None:
        waits = [asyncio.create_task(one.wait()) for one in (released, self.interrupted)]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
