"""A router whose classifier says what a test tells it."""

import asyncio
import json
from typing import Any

from claude_core.messages import Request
from claude_core.models import resolve
from claude_core.reply import Reply
from claude_core.routes import Table
from claude_core.routing.choice import Choice, Last
from claude_core.routing.policy import Purse
from claude_core.routing.router import Router
from claude_core.wire import Json

FAST, BALANCED, DEEP = (resolve(role) for role in ("fast", "balanced", "deep"))
ALL = Purse([FAST, BALANCED, DEEP])


def answer(text: str, stop_reason: str = "end_turn") -> Reply:
    content = [{"type": "text", "text": text}]
    message = {"type": "message", "content": content, "stop_reason": stop_reason}
    return Reply.from_bytes(json.dumps(message | {"usage": {"input_tokens": 9}}).encode())


def verdict(intent: str, confidence: float = 0.9) -> str:
    return json.dumps({"intent": intent, "confidence": confidence})


class Routing:
    """A router whose classifier says what it is told."""

    def __init__(self, says: Any = None) -> None:
        self.now, self.says, self.asked = 1_000.0, says, list[Request]()
        self.router = Router(Table.own(), now=lambda: self.now)

    async def ask(self, request: Request, deadline: float) -> tuple[Reply, int]:
        self.asked.append(request)
        if isinstance(self.says, Exception):
            raise self.says
        return (self.says if isinstance(self.says, Reply) else answer(self.says)), 7

    def choose(
        self, text: str = "hello", purse: Purse = ALL, last: Last | None = None, **body: Any
    ) -> Choice:
        full: Json = {"messages": [{"role": "user", "content": text}], **body}
        return asyncio.run(self.router.choose(full, purse, self.ask, last=last))
