"""Which model goes on with a conversation, known to every process of a stack.

A row of the table for each answer that holds its conversation to its model, or has thoughts:

id             hash of the client and of the first call of a tool in the answer; where there is
               none, of the client and all that was said until then: what Claude has in its cache
model          that answered, by Claude's name
intent         of the route that chose it, and the `confidence`, where it was classified
setting        and
thoughts_from  under which system prompt and tools, and from which message on the model was given
               thoughts, or has had them
holds_until    the conversation stays on the model, seconds since the epoch
expires_at     all this is known (and TTL)
"""

import hashlib
import time
from asyncio import timeout
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from claude_core.aws import Aws
from claude_core.errors import AwsUnreachable
from claude_core.models import MODELS
from claude_core.reached import reached
from claude_core.routes import Table
from claude_core.routing.choice import Choice, Last, Verdict
from claude_core.routing.thoughts import bare, own_from, setting, thinks
from claude_core.row import Item
from claude_core.wire import Json, to_bytes

WARM_S = 300.0
"""That Claude keeps a prompt in its cache after its last use."""
TOOL_S = 3_600.0
"""That a model waits for what a tool answers, and that thoughts are known to be its own."""
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

    async def last(self, client: str, body: Json, routes: Table) -> Last | None:
        """The answer before; None: there is none, or none that is remembered."""
        messages = body["messages"]
        answers = [at for at, one in enumerate(messages) if one.get("role") == "assistant"]
        if not answers:
            return None
        async with self._spared():
            key = _key(client, body, messages[: answers[-1] + 1])
            asked = {"TableName": self._table, "Key": {"id": {"S": key}}, "ConsistentRead": True}
            item: Item = (await self._call("GetItem", asked)).get("Item") or {}
            if not item or self._now() >= float(item["expires_at"]["N"]):
                return None
            # Another version may know others.
            model = next((one for one in MODELS if one.id == item["model"]["S"]), None)
            route = routes.routes.get(item["intent"]["S"])
            if model is None or route is None:
                return None
            sure = item.get("confidence")
            return Last(
                route=route,
                model=model,
                verdict=Verdict(route.intent, float(sure["N"])) if sure else None,
                holds=self._now() < float(item["holds_until"]["N"]),
                setting=item["setting"]["S"],
                thoughts_from=int(item["thoughts_from"]["N"]),
            )
        return None

    async def note(
        self,
        client: str,
        body: Json,
        choice: Choice,
        answer: Any,
        last: Last | None = None,
        *,
        warm: bool,
        waits: bool,
    ) -> None:
        """A model has answered.

        Args:
            answer: the content of its message; its thoughts and calls of tools need not be whole.
            last: the answer before.
            warm: Claude keeps the prompt. waits: its turn is not over, a tool is to answer.
        """
        if not (warm or waits or thinks(answer)):
            return
        async with self._spared():
            said = [*body["messages"], {"role": "assistant", "content": answer}]
            held_s = TOOL_S if waits else WARM_S if warm else 0
            item: Item = {
                "id": {"S": _key(client, body, said)},
                "model": {"S": choice.model.id},
                "intent": {"S": choice.route.intent},
                "setting": {"S": setting(choice, body)},
                "thoughts_from": {"N": str(own_from(choice, body, last))},
                "holds_until": {"N": str(int(self._now() + held_s))},
                "expires_at": {"N": str(int(self._now() + TOOL_S))},
            }
            if choice.verdict:
                item["confidence"] = {"N": str(choice.verdict.confidence)}
            await self._call("PutItem", {"TableName": self._table, "Item": item})

    async def _call(self, action: str, asked: Json) -> Json:
        with reached(WHERE):
            return await self._aws.call("dynamodb", f"DynamoDB_20120810.{action}", asked)

    @asynccontextmanager
    async def _spared(self) -> AsyncIterator[None]:
        """Whatever goes wrong here, the question is answered."""
        try:
            async with timeout(PATIENCE_S):
                yield
        except Exception as err:  # not its words, which could hold a prompt
            why = str(err) if isinstance(err, AwsUnreachable) else type(err).__name__
            self._trouble(f"{WHERE} is not reached: {why}")


def _key(client: str, body: Json, said: list[Json]) -> str:
    """What the next question knows an answer by, which is the last of what was said."""
    calls = _calls(said[-1].get("content"))
    parts: list[Any] = ["call", client, calls[0]] if calls else ["said", client]
    if not calls:
        parts += [_texts(body.get("system")), *map(_told, said)]
    digest = hashlib.sha256()
    for part in parts:
        digest.update(to_bytes({"": part}))
    return digest.hexdigest()


def _told(message: Json) -> list[Any]:
    """A message without its form. Of an answer: what callers send back, whatever else they leave
    out or put together."""
    role, content = message.get("role"), message.get("content")
    if role != "assistant" or isinstance(content, str):
        return [role, *_texts(content)]
    texts = (block.get("text") or "" for block in content or [] if block.get("type") == "text")
    return [role, "".join(texts), *_calls(content)]


def _texts(content: Any) -> list[Any]:
    """Blocks; text is the same in one."""
    blocks = content if isinstance(content, list) else [content]
    texts = [
        block.get("text") if isinstance(block, dict) and block.get("type") == "text" else block
        for block in blocks
    ]
    return list(bare(texts))


def _calls(content: Any) -> list[str]:
    """Ids of the tools that an answer calls."""
    blocks = content if isinstance(content, list) else []
    return [str(block.get("id")) for block in blocks if block.get("type") == "tool_use"]
