"""The chat of one task: who is connected, which answers are being written, and how it ends."""

import asyncio
from collections import Counter

from starlette.websockets import WebSocket, WebSocketDisconnect

from claude_core.clients import ClientKey
from claude_core.errors import (
    InvalidRequest,
    KitError,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    Overloaded,
    Replaced,
    TooMany,
)
from claude_core.serve import Kit
from claude_core.settings import ChatSettings, Settings
from service_src.answer import Why
from service_src.answers import Answers
from service_src.conversations import Conversations
from service_src.crowd import Crowd
from service_src.frames import ID, Cancel, Frame, Message, Mode, Resume, choose
from service_src.session import (
    BUSY,
    NOT_ALLOWED,
    NOT_AUTHENTICATED,
    TOO_MANY,
    Limits,
    Session,
)
from service_src.tickets import Tickets

REPLACED = "the server is being replaced; connect again"
TICK_S, GAUGE_S = 1.0, 15.0
CLOSES: dict[type[KitError], int] = {
    NotAuthenticated: NOT_AUTHENTICATED,
    NotAllowed: NOT_ALLOWED,
    TooMany: TOO_MANY,
}
"""How a socket is closed that is refused; everything else may be tried again later."""


class Chat:
    """Built at the first socket, on the event loop that it will live on."""

    def __init__(self, kit: Kit, settings: Settings, chat: ChatSettings) -> None:
        self._kit, self._telemetry = kit, kit.telemetry
        self._chat = chat
        self._tickets = Tickets(kit.aws, chat.conversations_table)
        days = int(chat.conversation_days)
        self._conversations = Conversations(kit.aws, chat.conversations_table, days=days)
        self._limits = Limits(
            frame_bytes=int(chat.frame_bytes),
            messages_per_minute=int(chat.messages_per_minute),
            idle_s=float(chat.idle_s),
            lifetime_s=float(chat.lifetime_s),
            stall_s=float(chat.stall_s),
            ping_s=float(settings.ping_s),
        )
        self._sessions: Crowd[Session] = Crowd()
        self._of_client: Counter[str] = Counter()
        self._answers = Answers(kit, settings, chat, over=self._over)
        self.draining = False

    @property
    def sockets(self) -> int:
        return len(self._sessions)

    @property
    def answering(self) -> int:
        """Answers that are being written, with a reader or without."""
        return len(self._answers.running)

    async def ticket(self, client: str) -> str:
        """A ticket for one socket of a client that was proved."""
        return await self._tickets.issue(client)

    async def serve(self, socket: WebSocket) -> None:
        """One websocket, from its handshake to its end."""
        protocol, mode, ticket = choose(list(socket.scope["subprotocols"]))
        try:
            # A browser shows nothing of a refused handshake: accepted, it can be told the reason.
            await socket.accept(protocol)
            async with asyncio.timeout(float(self._chat.auth_s)):
                session = await self._admit(socket, mode, ticket)
        except (KitError, TimeoutError) as err:
            await self._refuse(socket, mode, err)
            return
        except (WebSocketDisconnect, RuntimeError):
            return  # gone already
        self._sessions.add(session)
        self._telemetry.count(chats=1)
        try:
            await session.run(self._handle)
        finally:
            self._sessions.discard(session)
            self._of_client[session.client] -= 1
            self._answers.lost(session)

    async def drain(self, seconds: float) -> None:
        """Take nobody any more, let answers run to their end for so long, then end them."""
        self.draining = True
        for session in self._sessions:
            if not session.answer:
                session.leave("drain")
        try:
            async with asyncio.timeout(seconds):
                await self._answers.running.gone()
                await self._sessions.gone()
        except TimeoutError:
            for answer in self._answers.running:
                answer.stop(Why.DRAINED)
            await self._answers.running.gone()

    async def tick(self) -> None:
        """Hold every socket to its limits, until cancelled."""
        while True:
            await asyncio.sleep(TICK_S)
            for session in self._sessions:
                session.tick()

    async def _admit(self, socket: WebSocket, mode: Mode, ticket: str | None) -> Session:
        if self.draining:
            raise Replaced(REPLACED)
        if self.sockets >= int(self._chat.sockets_per_task):
            raise Overloaded("too many sockets at this task; connect again")
        asked = socket.query_params.get("conversation")
        if asked is not None and not ID.fullmatch(asked):
            raise InvalidRequest("conversation: must be 1 to 64 of letters, digits, - and _")
        if ticket is not None:
            client = await self._tickets.redeem(ticket)
        else:
            client = (await self._kit.prove(ClientKey.from_headers(socket.headers))).row.id
        if self._of_client[client] >= int(self._chat.sockets_per_client):
            raise TooMany(f"a client may have {self._chat.sockets_per_client} sockets at a task")
        conversation = self._conversations.of(client, asked)
        self._of_client[client] += 1
        return Session(socket, mode=mode, conversation=conversation, limits=self._limits)

    async def _refuse(self, socket: WebSocket, mode: Mode, err: Exception) -> None:
        if not isinstance(err, KitError):
            err = NotAuthenticated(f"not authenticated within {self._chat.auth_s} s")
        self._answers.failed(err)
        try:
            for frame in mode.error(None, err):
                await socket.send_text(frame)
            await socket.close(CLOSES.get(type(err), BUSY))
        except (WebSocketDisconnect, RuntimeError):
            pass  # gone already

    async def _handle(self, session: Session, frame: Frame) -> None:
        match frame:
            case Message() if self.draining:
                raise Replaced(REPLACED)
            case Message():
                self._answers.ask(session, frame)
            case Cancel() if session.answer and session.answer.id == frame.id:
                session.answer.stop(Why.CANCELLED)
            case Cancel():
                raise NotFound(f"no answer {frame.id} is being written")
            case Resume():
                await self._answers.resume(session, frame)

    def _over(self, session: Session) -> None:
        """An answer has ended: its socket may go, if all have to."""
        if self.draining:
            session.leave("drain")
