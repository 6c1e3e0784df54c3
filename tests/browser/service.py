"""What the page's tests ask of the service behind it, whatever runs it."""

from dataclasses import dataclass
from typing import Any, Protocol


class Claude(Protocol):
    """What is answered: the fake Claude's own words (`local.fake_claude.remote.Fake`).

    Used are `answer`, `hold after=N`, `stream_error after=N`, `overloaded`, `bad_request`,
    `max_tokens` and `refusal`, all with `text` or without.
    """

    def plan(self, behaviours: list[Any]) -> None: ...

    def release(self) -> None: ...


class Task(Protocol):
    """The task that serves, and what can befall it and its sockets."""

    def drain(self) -> None:
        """Replace the task by another, in the midst of whatever it does; the sockets that it has
        are told, those that come meanwhile are turned away once."""

    def lose(self) -> None:
        """Cut every socket without a word."""

    def fall_asleep(self) -> None:
        """End every socket as one that was idle for too long."""

    def refuse(self, code: int, kind: str, message: str, *, times: int = 1) -> None:
        """Turn the next sockets away, with an error frame and this close code."""


@dataclass(frozen=True)
class Service:
    url: str
    key: str
    claude: Claude
    task: Task
