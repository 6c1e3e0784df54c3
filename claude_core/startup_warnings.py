"""Warnings of imports, which run before a process has a log: the first `Telemetry` writes them."""

from typing import Any, NamedTuple


class StartupWarning(NamedTuple):
    message: str
    metric: str
    """Counted once."""
    facts: dict[str, Any]
    """Fields of the log line; no prompt, answer or key."""


_waiting = list[StartupWarning]()


def add(message: str, *, metric: str, **facts: str) -> None:
    """Keep a warning for the log."""
    _waiting.append(StartupWarning(message, metric, facts))


def take() -> list[StartupWarning]:
    """Return the warnings that are not logged yet, each one once."""
    taken = _waiting.copy()
    _waiting.clear()
    return taken
