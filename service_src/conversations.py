"""What was said: each conversation's turns, in a table: they outlive a socket, and a task."""

import datetime as dt
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from claude_core.aws import Aws, AwsRefused
from claude_core.errors import AwsUnreachable
from claude_core.wire import Json

HISTORY_BYTES = 200_000
"""Of the latest turns that go to Claude again; older ones are kept, and not sent."""
ITEM_BYTES = 350_000
"""DynamoDB takes 400 KB an item; a longer question is answered, and not remembered."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and its answer."""

    id: str
    question: Any
    answer: str
    seq: int = 0
    """Deltas that the answer came in."""
    facts: Json | None = None
    """What `done` says of it."""
    incomplete: bool = False
    """The answer is partial: it was cancelled, or its task went away."""

    @property
    def size(self) -> int:
        return len(json.dumps(self.question)) + len(self.answer.encode())

    def to_messages(self) -> list[Json]:
        """As the Messages API takes it; without an answer it never was."""
        if not self.answer.strip():
            return []
        return [
            {"role": "user", "content": self.question},
            {"role": "assistant", "content": self.answer},
        ]


class Conversation:
    """One conversation of one client; turns are loaded when they are first needed."""

    def __init__(self, store: "Conversations", client: str, id: str, *, new: bool) -> None:
        self._store, self.client, self.id = store, client, id
        self._turns: dict[str, Turn] | None = {} if new else None
        """By their place in the table, in order."""

    async def turns(self) -> list[Turn]:
        """
        Raises:
            AwsUnreachable.
        """
        return list((await self._loaded()).values())

    async def history(self) -> list[Json]:
        """The latest turns, as many as go to Claude again."""
        messages: list[Json] = []
        room = HISTORY_BYTES
        for turn in reversed(await self.turns()):
            room -= turn.size
            if room < 0:
                break
            messages = turn.to_messages() + messages
        return messages

    async def forget_from(self, id: str) -> None:
        """Drop a turn and all after it; none of that id is none to drop."""
        turns = await self._loaded()
        places = list(turns)
        at = next((at for at, place in enumerate(places) if turns[place].id == id), len(places))
        for place in places[at:]:
            await self._store.delete(self.client, self.id, place)
            del turns[place]

    async def add(self, turn: Turn) -> None:
        """Remember a turn; one that DynamoDB cannot hold is left out."""
        turns = await self._loaded()
        # Two sockets may write into one conversation: neither may take the other's place.
        last = int(max(turns, default="0").partition("-")[0])
        place = f"{last + 1:08}-{secrets.token_hex(4)}"
        if turn.size > ITEM_BYTES:
            return
        turns[place] = turn
        await self._store.put(self.client, self.id, place, turn)

    async def _loaded(self) -> dict[str, Turn]:
        if self._turns is None:
            self._turns = await self._store.load(self.client, self.id)
        return self._turns


class Conversations:
    """The table of all of them."""

    def __init__(
        self,
        aws: Aws,
        table: str,
        *,
        days: int,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        self._aws, self._table, self._kept, self._now = aws, table, dt.timedelta(days=days), now

    def of(self, client: str, id: str | None) -> Conversation:
        """A client's conversation of that id; a new one, if none is given."""
        return Conversation(self, client, id or secrets.token_urlsafe(12), new=id is None)

    async def load(self, client: str, id: str) -> dict[str, Turn]:
        turns: dict[str, Turn] = {}
        start: Json | None = None
        while True:
            more = {"ExclusiveStartKey": start} if start else {}
            page = await self._call(
                "Query",
                KeyConditionExpression="id = :id",
                ExpressionAttributeValues={":id": {"S": f"{client}#{id}"}},
                ConsistentRead=True,
                **more,
            )
            for item in page["Items"]:
                turns[item["turn"]["S"]] = _turn(json.loads(item["said"]["S"]))
            start = page.get("LastEvaluatedKey")
            if not start:
                return turns

    async def put(self, client: str, id: str, place: str, turn: Turn) -> None:
        said = {name: getattr(turn, name) for name in Turn.__slots__}
        ends = int((self._now() + self._kept).timestamp())
        item = {
            **_key(client, id, place),
            "said": {"S": json.dumps(said, ensure_ascii=False)},
            "expires_at": {"N": str(ends)},
        }
        await self._call("PutItem", Item=item)

    async def delete(self, client: str, id: str, place: str) -> None:
        await self._call("DeleteItem", Key=_key(client, id, place))

    async def _call(self, action: str, **payload: object) -> Json:
        target = f"DynamoDB_20120810.{action}"
        try:
            return await self._aws.call("dynamodb", target, {"TableName": self._table, **payload})
        except AwsRefused as err:
            raise AwsUnreachable(f"the table of conversations refused: {err}") from err


def _key(client: str, id: str, place: str) -> Json:
    return {"id": {"S": f"{client}#{id}"}, "turn": {"S": place}}


def _turn(said: Json) -> Turn:
    return Turn(**said)
