"""Which model is on each conversation, known to every process of a stack.

A conversation is known by how it began, its first answer included. A row of the table, for each:

id            hash of the client, the system prompt, the first message and the first answer
model         that answered last, by Claude's name
intent        of the route that chose it, and the `confidence`, where it was classified
warm_until    while Claude keeps the prompt in its cache, seconds since the epoch; 0: it does not
expires_at    while a tool that the model has called may still answer it (and TTL)
"""

import asyncio
import hashlib
import time
from collections.abc import Callable
from typing import Any

from claude_core.aws import Aws
from claude_core.errors import AwsUnreachable
from claude_core.models import MODELS
from claude_core.reached import reached
from claude_core.routes import Table
from claude_core.routing.choice import Choice, Reason, Verdict
from claude_core.row import Item
from claude_core.wire import Json, to_bytes

WARM_S = 300.0
"""That Claude keeps a prompt in its cache after its last use."""
TOOL_S = 3_600.0
"""That a model's thought waits for what a tool answers."""
PATIENCE_S = 0.5
"""A question is not held up longer: it is routed anew."""
WHERE = "the table of conversations"


class Conversations:
    """One stack's. Nothing here fails: what cannot be read or kept is told, and routed anew."""

    def __init__(
        self,
        aws: Aws,
        table: str,
        *,
        trouble: Callable[[str], None],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._aws, self._table, self._trouble, self._now = aws, table, trouble, now

    async def choice(self, client: str, body: Json, routes: Table) -> Choice | None:
        """The last choice of a conversation; None: it is new, or nothing holds it any more."""
        if len(body["messages"]) < 2:
            return None
        first, answer = body["messages"][:2]
        key = _key(client, body, first, answer.get("content"))
        asked = {"TableName": self._table, "Key": {"id": {"S": key}}, "ConsistentRead": True}
        found = await self._call("GetItem", asked)
        item: Item = (found or {}).get("Item") or {}
        if not item or self._now() >= float(item[_held_by(body)]["N"]):
            return None
        model = next((one for one in MODELS if one.id == item["model"]["S"]), None)
        route = routes.routes.get(item["intent"]["S"])
        if model is None or route is None:  # written by another version
            return None
        sure = item.get("confidence")
        verdict = Verdict(route.intent, float(sure["N"])) if sure else None
        return Choice(route=route, model=model, reason=Reason.CONVERSATION, verdict=verdict)

    async def note(
        self, client: str, body: Json, choice: Choice, answer: Any, *, warm: bool, waits: bool
    ) -> None:
        """A model has answered.

        Args:
            answer: the content of its message, as far as it is text or calls of tools.
            warm: Claude keeps the prompt. waits: the model has called a tool.
        """
        if not (warm or waits):
            return
        first, *rest = body["messages"]
        began, now = rest[0].get("content") if rest else answer, self._now()
        item: Item = {
            "id": {"S": _key(client, body, first, began)},
            "model": {"S": choice.model.id},
            "intent": {"S": choice.route.intent},
            "warm_until": {"N": str(int(now + WARM_S) if warm else 0)},
            "expires_at": {"N": str(int(now + (TOOL_S if waits else WARM_S)))},
        }
        if choice.verdict:
            item["confidence"] = {"N": str(choice.verdict.confidence)}
        await self._call("PutItem", {"TableName": self._table, "Item": item})

    async def _call(self, action: str, asked: Json) -> Json | None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                with reached(WHERE):
                    return await self._aws.call("dynamodb", f"DynamoDB_20120810.{action}", asked)
        except (AwsUnreachable, TimeoutError) as err:
            self._trouble(f"{WHERE} is not reached: {str(err) or 'it is slow'}")
            return None


def _held_by(body: Json) -> str:
    """What holds a conversation: its prompt's cache, or the tool that its model waits for."""
    content = body["messages"][-1].get("content")
    types = {block.get("type") for block in content} if isinstance(content, list) else set()
    return "expires_at" if "tool_result" in types else "warm_until"


def _key(client: str, body: Json, first: Json, answer: Any) -> str:
    began = [client, _said(body.get("system")), _said(first.get("content")), _began(answer)]
    return hashlib.sha256(to_bytes({"began": began})).hexdigest()


def _said(content: Any) -> list[Any]:
    """Content without its form: text is the same in a block, and marks for the cache move on."""
    blocks = content if isinstance(content, list) else [{"type": "text", "text": content}]
    return [
        block.get("text")
        if block.get("type") == "text"
        else {name: value for name, value in block.items() if name != "cache_control"}
        for block in blocks
    ]


def _began(answer: Any) -> list[Any]:
    """What a caller sends back of an answer, whatever else it leaves out: texts, and the ids of
    calls of tools, which tell apart what has no text."""
    if isinstance(answer, str):
        return [answer]
    return [
        block.get("text") if block.get("type") == "text" else block.get("id")
        for block in answer or []
        if block.get("type") in ("text", "tool_use")
    ]
