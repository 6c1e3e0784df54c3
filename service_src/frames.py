"""What goes over the chat's websocket: frames of `claude.v1`, or plain text."""

import json
import re
from dataclasses import dataclass
from typing import Any

from claude_core.errors import AnswerLost, InvalidRequest, KitError
from claude_core.wire import Json, from_bytes

ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
ROLE, MAX_TOKENS = "balanced", 2_048
"""What is asked where a message says nothing else."""
VERSIONED, PLAIN = "claude.v1", "claude.text"
TICKET = "ticket."


@dataclass(frozen=True, slots=True)
class Message:
    """A question; `body` is what it says of the Messages API's fields."""

    id: str
    content: Any
    body: Json
    resume: bool = False
    """Its answer goes on for a while if the socket is lost."""
    replaces: str | None = None
    """Forget the message of this id, and all after it, first."""


@dataclass(frozen=True, slots=True)
class Cancel:
    id: str


@dataclass(frozen=True, slots=True)
class Resume:
    id: str
    after: int


Frame = Message | Cancel | Resume


def parse(text: str) -> Frame:
    """Read a frame of `claude.v1`.

    Raises:
        InvalidRequest: names what is wrong with it.
    """
    found = from_bytes(text.encode(errors="surrogatepass"))
    kind, id = found.pop("type", None), found.pop("id", None)
    if not isinstance(id, str) or not ID.fullmatch(id):
        raise InvalidRequest("id: must be 1 to 64 of letters, digits, - and _")
    match kind:
        case "message":
            return _message(id, found)
        case "cancel":
            return Cancel(id)
        case "resume":
            after = found.get("after", 0)
            if not isinstance(after, int) or isinstance(after, bool) or after < 0:
                raise InvalidRequest("after: must be the number of the last delta that arrived")
            return Resume(id, after)
    raise InvalidRequest(f"type: {str(kind)[:100]!r} is not one of message, cancel, resume")


def _message(id: str, found: Json) -> Message:
    content, resume = found.pop("content", None), found.pop("resume", False)
    replaces = found.pop("replaces", None)
    if not isinstance(content, str | list) or not content:
        raise InvalidRequest("content: must be text, or a list of content blocks")
    if not isinstance(resume, bool):
        raise InvalidRequest("resume: must be true or false")
    if replaces is not None and not (isinstance(replaces, str) and ID.fullmatch(replaces)):
        raise InvalidRequest("replaces: must be the id of a message")
    for name in found:
        if name not in ("model", "max_tokens", "system"):
            raise InvalidRequest(f"{name[:100]}: no such field of a message")
    return Message(id, content, found, resume, replaces)


class Versioned:
    """`claude.v1`: a JSON object a frame."""

    def read(self, text: str) -> Frame:
        return parse(text)

    def ready(self, conversation: str) -> list[str]:
        return [json.dumps({"type": "ready", "conversation": conversation})]

    def delta(self, id: str, seq: int, text: str) -> list[str]:
        # Put together by hand: of all frames this is the one that is sent for each token.
        return [f'{{"type":"delta","id":"{id}","seq":{seq},"text":{_quote(text)}}}']

    def whole(self, id: str, seq: int, text: str) -> list[str]:
        """All of an answer that another task has written: instead of what has come of it."""
        frame = {"type": "delta", "id": id, "seq": seq, "text": text, "whole": True}
        return [json.dumps(frame, ensure_ascii=False)]

    def done(self, id: str, seq: int, facts: Json) -> list[str]:
        return [json.dumps({"type": "done", "id": id, "seq": seq, **facts})]

    def error(self, id: str | None, err: KitError) -> list[str]:
        about = {"id": id} if id else {}
        error = err.to_json("")["error"]
        # A person may well ask again where a library must not by itself: it may be paid for twice.
        again = err.retry_helps or isinstance(err, AnswerLost)
        frame = {"type": "error", **about, "error": error, "retryable": again}
        return [json.dumps(frame, ensure_ascii=False)]

    def ping(self) -> list[str]:
        return ['{"type":"ping"}']

    def reconnect(self, reason: str) -> list[str]:
        return [json.dumps({"type": "reconnect", "reason": reason})]


class Plain:
    """`claude.text`, or nothing: a frame is a question, deltas are an answer, then `[DONE]`."""

    END = "[DONE]"

    def __init__(self) -> None:
        self._asked = 0

    def read(self, text: str) -> Frame:
        """
        Raises:
            InvalidRequest: a question without a word.
        """
        if not text.strip():
            raise InvalidRequest("a question must have text in it")
        self._asked += 1
        return Message(f"m{self._asked}", text, {})

    def ready(self, conversation: str) -> list[str]:
        return []

    def delta(self, id: str, seq: int, text: str) -> list[str]:
        return [text]

    def whole(self, id: str, seq: int, text: str) -> list[str]:
        return [text]

    def done(self, id: str, seq: int, facts: Json) -> list[str]:
        return [self.END]

    def error(self, id: str | None, err: KitError) -> list[str]:
        return [json.dumps(err.to_json("")), self.END]

    def ping(self) -> list[str]:
        return []

    def reconnect(self, reason: str) -> list[str]:
        return []


Mode = Versioned | Plain
_quote = json.JSONEncoder(ensure_ascii=False).encode


def choose(subprotocols: list[str]) -> tuple[str | None, Mode, str | None]:
    """What is offered, as: the subprotocol to echo, the mode, and the ticket.

    Of two the one that says more is taken; a ticket is never echoed.
    """
    ticket = next((one[len(TICKET) :] for one in subprotocols if one.startswith(TICKET)), None)
    if VERSIONED in subprotocols:
        return VERSIONED, Versioned(), ticket
    return (PLAIN if PLAIN in subprotocols else None), Plain(), ticket
