"""Conversations and who answers in them, for as long as Claude keeps their prompt."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable

from claude_core.routing.choice import Choice
from claude_core.routing.classifier import text_of
from claude_core.wire import Json, to_bytes

WARM_S = 300.0
"""That Claude keeps a prompt in its cache after its last use."""
MOST = 10_000
BEGUN = 2
"""Messages: many begin with the same word, and only the answer tells them apart."""


class Warm:
    """One process's. A conversation is known by how it began, the first answer included."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._on: OrderedDict[bytes, tuple[Choice, float]] = OrderedDict()

    def choice(self, client: str, body: Json) -> Choice | None:
        """The last choice of a conversation; None: it is new, or its prompt is not kept."""
        if len(body["messages"]) < BEGUN:
            return None
        found = self._on.get(_key(client, body))
        return found[0] if found and self._now() - found[1] < WARM_S else None

    def note(self, client: str, body: Json, choice: Choice) -> None:
        """A model has answered in a conversation, and its prompt is kept."""
        if len(body["messages"]) < BEGUN:
            return
        key = _key(client, body)
        self._on.pop(key, None)
        self._on[key] = choice, self._now()
        while len(self._on) > MOST:
            self._on.popitem(last=False)


def _key(client: str, body: Json) -> bytes:
    first, answer = body["messages"][:2]
    began = [client, body.get("system"), first, text_of(answer.get("content"))]
    return hashlib.sha256(to_bytes({"began": began})).digest()
