"""Conversations and who answers in them, for as long as Claude keeps their prompt."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable

from claude_core.routing.choice import Choice
from claude_core.wire import Json, to_bytes

WARM_S = 300.0
"""That Claude keeps a prompt in its cache after its last use."""
MOST = 10_000


class Warm:
    """One process's. A conversation is known by how it began."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._on: OrderedDict[bytes, tuple[Choice, float]] = OrderedDict()

    def choice(self, client: str, body: Json) -> Choice | None:
        """The last choice of a conversation; None: it is new, or its prompt is not kept."""
        if len(body["messages"]) < 2:
            return None
        found = self._on.get(_key(client, body))
        return found[0] if found and self._now() - found[1] < WARM_S else None

    def note(self, client: str, body: Json, choice: Choice) -> None:
        """A model has answered in a conversation."""
        key = _key(client, body)
        self._on.pop(key, None)
        self._on[key] = choice, self._now()
        while len(self._on) > MOST:
            self._on.popitem(last=False)


def _key(client: str, body: Json) -> bytes:
    began = [client, body.get("system"), body["messages"][0]]
    return hashlib.sha256(to_bytes({"began": began})).digest()
