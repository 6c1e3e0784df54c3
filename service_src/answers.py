"""The answers of one task: begun, kept for who comes back for them, and forgotten."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable
from functools import partial

from claude_core import messages
from claude_core.errors import InvalidRequest, KitError, NotFound
from claude_core.incoming import Incoming
from claude_core.models import NANO
from claude_core.serve import Kit
from claude_core.settings import ChatSettings, Settings
from claude_core.sse import Event
from service_src.answer import Answer, facts_of
from service_src.conversations import Conversation
from service_src.crowd import Crowd
from service_src.frames import MAX_TOKENS, ROLE, Message, Resume
from service_src.session import ONE_AT_A_TIME, Session

Key = tuple[str, str, str]
"""Client, conversation, message."""


class Gone(NotFound):
    """An answer that nobody has any more."""

    retry_helps = True


class Answers:
    """`over` is told of each session whose answer has ended."""

    def __init__(
        self, kit: Kit, settings: Settings, chat: ChatSettings, *, over: Callable[[Session], None]
    ) -> None:
        self._kit, self._settings, self._over = kit, settings, over
        self._resume_s = float(chat.resume_s)
        self._kept: dict[Key, Answer] = {}
        self.running: Crowd[Answer] = Crowd()

    def ask(self, session: Session, message: Message) -> None:
        """Begin the answer to a message; what goes wrong is told as its end."""
        answer = Answer(message, session.conversation, session)
        session.answer = answer
        self._kept[_key(session.conversation, message.id)] = answer
        self.running.add(answer)
        answer.start(self._open, self.failed, self._ended)

    async def resume(self, session: Session, frame: Resume) -> None:
        """Go on with an answer of this task, or give back what another one has kept of it.

        Raises:
            InvalidRequest: the session has one already; Gone: nobody has it any more.
        """
        if session.answer:
            raise InvalidRequest(ONE_AT_A_TIME)
        self._kit.telemetry.count(reconnects=1)
        if answer := self._kept.get(_key(session.conversation, frame.id)):
            session.conversation, session.answer = answer.conversation, answer
            await answer.attach(session, frame.after)
            return
        for turn in await session.conversation.turns():
            if turn.id == frame.id:
                facts = turn.facts or {"stop_reason": None, "incomplete": True}
                await session.send(session.mode.whole(turn.id, turn.seq, turn.answer))
                await session.send(session.mode.done(turn.id, turn.seq, facts))
                return
        raise Gone(f"nothing is kept of an answer {frame.id}; send the message again")

    def lost(self, session: Session) -> None:
        """A session is gone: its answer ends, or goes on for a while if it was asked to."""
        if (answer := session.answer) and answer.reader is session:
            answer.lost(self._resume_s)

    def failed(self, err: Exception) -> KitError:
        """Write an error down; what the reader is told of it."""
        telemetry, incoming = self._kit.telemetry, _incoming()
        if isinstance(err, KitError):
            telemetry.failed(incoming, err, 0.0)
            return err
        telemetry.crashed(incoming, err)
        return KitError("the request failed; try again")

    async def _open(self, answer: Answer) -> AsyncGenerator[Event]:
        """Ask Claude for an answer, with what was said before."""
        message, conversation = answer.message, answer.conversation
        if message.replaces:
            await conversation.forget_from(message.replaces)
        said = [*await conversation.history(), {"role": "user", "content": message.content}]
        asked = {"model": ROLE, "max_tokens": MAX_TOKENS} | message.body
        request = messages.request(asked | {"messages": said, "stream": True})
        now = asyncio.get_running_loop().time()
        events = self._kit.stream(
            _incoming(),
            conversation.client,
            request,
            deadline=now + float(self._settings.stream_timeout_s),
            open_deadline=now + float(self._settings.answer_timeout_s),
        )
        return _noting(answer, events)

    def _ended(self, answer: Answer) -> None:
        self.running.discard(answer)
        forget = partial(self._forget, _key(answer.conversation, answer.id), answer)
        asyncio.get_running_loop().call_later(self._resume_s, forget)
        if isinstance(answer.reader, Session):
            self._over(answer.reader)

    def _forget(self, key: Key, answer: Answer) -> None:
        if self._kept.get(key) is answer:
            del self._kept[key]


async def _noting(answer: Answer, events: AsyncGenerator[Event]) -> AsyncGenerator[Event]:
    """The same events; of the last one the answer notes what it came to."""
    try:
        async for event in events:
            if settled := event.settled:
                cost = settled.cost / NANO
                answer.facts = facts_of(settled.model, settled.usage, settled.stop_reason, cost)
            yield event
    finally:
        await events.aclose()


def _key(conversation: Conversation, id: str) -> Key:
    return conversation.client, conversation.id, id


def _incoming() -> Incoming:
    return Incoming(f"req_{secrets.token_hex(12)}")
