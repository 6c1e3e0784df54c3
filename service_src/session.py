"""One socket of the chat: frames in, frames out, within its limits."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from claude_core.errors import InvalidRequest, KitError, TooLarge, TooMany
from service_src.answer import Answer
from service_src.conversations import Conversation
from service_src.frames import Frame, Message, Mode

RECONNECT, TOO_BIG, BUSY = 1001, 1009, 1013
NOT_AUTHENTICATED, NOT_ALLOWED, IDLE, TOO_MANY = 4401, 4403, 4408, 4429
ONE_AT_A_TIME = "one answer at a time: wait for `done`, or cancel it"


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one socket."""

    frame_bytes: int
    messages_per_minute: int
    idle_s: float
    lifetime_s: float
    stall_s: float
    ping_s: float


class Session:
    """Lives from a proved handshake to the socket's end."""

    def __init__(
        self, socket: WebSocket, *, mode: Mode, conversation: Conversation, limits: Limits
    ) -> None:
        self.mode, self.conversation, self.limits = mode, conversation, limits
        self.answer: Answer | None = None
        self._socket, self._clock = socket, asyncio.get_running_loop().time
        self._opened = self._active_at = self._sent_at = self._clock()
        self._blocked_since: float | None = None
        self._minute, self._asked = 0, 0
        self._closing = False
        self._ending: set[asyncio.Task[None]] = set()

    @property
    def client(self) -> str:
        return self.conversation.client

    async def run(self, handle: Callable[["Session", Frame], Awaitable[None]]) -> None:
        """Read frames until the socket is gone; a bad one is answered, and forgotten."""
        await self.send(self.mode.ready(self.conversation.id))
        while (text := await self._next()) is not None:
            self._active_at, frame = self._clock(), None
            try:
                if len(text.encode(errors="surrogatepass")) > self.limits.frame_bytes:
                    raise TooLarge(f"a frame may have {self.limits.frame_bytes} bytes")
                frame = self.mode.read(text)
                if isinstance(frame, Message):
                    self._count()
                    if self.answer:
                        raise InvalidRequest(ONE_AT_A_TIME)
                await handle(self, frame)
            except TooLarge as err:
                await self.close(TOO_BIG, err)
            except TooMany as err:
                await self.close(TOO_MANY, err)
            except KitError as err:
                await self.send(self.mode.error(frame.id if frame else None, err))

    async def send(self, frames: list[str]) -> None:
        """Send frames; to a socket that is gone they are lost, and its reading ends by itself."""
        self._sent_at = self._blocked_since = self._clock()
        try:
            for frame in frames:
                await self._socket.send({"type": "websocket.send", "text": frame})
        except (WebSocketDisconnect, RuntimeError):
            self._closing = True
        finally:
            self._blocked_since = None

    def answered(self) -> None:
        self.answer = None
        self._active_at = self._clock()

    async def close(self, code: int, err: KitError | None = None) -> None:
        """End the socket, and say why."""
        if self._closing:
            return
        if err:
            await self.send(self.mode.error(None, err))
        self._closing = True
        with suppress(WebSocketDisconnect, RuntimeError):  # it was faster
            await self._socket.close(code)

    async def reconnect(self, reason: str) -> None:
        """Tell the socket to come again, and end it."""
        await self.send(self.mode.reconnect(reason))
        await self.close(RECONNECT)

    def leave(self, reason: str) -> None:
        """Reconnect, as soon as what is being sent is sent."""
        self._soon(self.reconnect(reason))

    def tick(self) -> None:
        """Once a second: end what has outlived a limit, and say that an answer is on its way."""
        now, limits = self._clock(), self.limits
        if self._blocked_since is not None:
            if now - self._blocked_since > limits.stall_s:
                self._closing = True
                # It takes nothing, and would not take a reason: the connection is cut.
                self._socket.scope["state"]["abort"]()
            return
        if self._closing:
            return
        if self.answer:
            if now - self._sent_at >= limits.ping_s:
                self._soon(self.send(self.mode.ping()))
        elif now - self._opened > limits.lifetime_s:
            self.leave("lifetime")
        elif now - self._active_at > limits.idle_s:
            idle = TimedOut(f"no message for {limits.idle_s:g} s; connect again when you have one")
            self._soon(self.close(IDLE, idle))

    def _count(self) -> None:
        minute = int(self._clock() // 60)
        self._minute, self._asked = minute, self._asked + 1 if minute == self._minute else 1
        if self._asked > self.limits.messages_per_minute:
            raise TooMany(
                f"a socket may send {self.limits.messages_per_minute} messages a minute",
                retry_after_s=60,
            )

    async def _next(self) -> str | None:
        """The next frame's text; None when the socket is gone."""
        while True:
            got = await self._socket.receive()
            if got["type"] == "websocket.disconnect":
                self._closing = True
                return None
            text: str | None = got.get("text")
            if text is not None:
                return text
            await self.send(self.mode.error(None, InvalidRequest("frames must be text")))

    def _soon(self, doing: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(doing)
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)


class TimedOut(KitError):
    """A socket that nobody uses."""

    status, type = 408, "timeout_error"
